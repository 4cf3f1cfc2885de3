"""A company's own rule as a file: read back as written, or every problem with its place."""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline import cli
from hearthline.domain.policies import PROFILES, Policy
from hearthline.domain.policies.files import PolicyError, from_plain, parse, plain, read, write
from hearthline.settings import Settings, load

OWN = """\
code: north-heat
name: North Heat
name_zh: 北方热力
versions:
  - valid_from: 2024-10-01
    threshold_c: 18.5
    open_after: 90min
    close_after: 4h
    excluded_hours: [[10, 14]]
    season: [[10, 20], [4, 20]]
    binds_from_c: -24.2
    refunds:
      - {below_c: 16, ratio: 1.0, including: true}
      - {below_c: 18.5, ratio: 0.3}
    clocks:
      - {matter: leak, step: visit, within: PT1H}
    source: Contract of 2024, §7
"""


def said(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("code", PROFILES)
def test_every_rule_of_ours_is_read_back_as_it_was_written(code: str) -> None:
    profile = PROFILES[code]
    assert parse(write(profile)) == profile
    for policy in profile.versions:
        assert from_plain(json.loads(json.dumps(plain(policy)))) == policy


def test_a_file_says_what_it_says_and_leaves_the_rest_at_its_default() -> None:
    profile = parse(OWN)
    policy = profile.on(date(2025, 1, 1))
    assert (profile.code, profile.name_zh, policy.code) == ("north-heat", "北方热力", "north-heat")
    assert policy.open_after == timedelta(minutes=90)
    assert policy.refunds[0].including
    assert policy.clocks[0].within == timedelta(hours=1)
    assert (policy.binds_from_c, policy.min_covered) == (-24.2, timedelta(hours=12))


def test_json_is_a_policy_file_too() -> None:
    version = {"valid_from": "2024-10-01", "threshold_c": 18, "source": "§7"}
    profile = parse(json.dumps({"code": "x", "name": "X", "versions": [version]}))
    assert profile.versions[0].valid_from == date(2024, 10, 1)


def test_every_problem_of_a_file_is_told_at_once_with_its_line() -> None:
    text = (
        OWN.replace("code: north-heat", "code: North Heat")
        .replace("threshold_c: 18.5", "threshold_c: warm")
        .replace("90min", "soon")
        .replace("including", "includng")
        .replace("matter: leak", "matter: leek")
    )
    problems = said(text)
    assert [problem.split(":")[0] for problem in problems] == [
        "line 1", "line 6", "line 7", "line 13", "line 16",
    ]  # fmt: skip
    assert "did you mean including?" in problems[3]
    assert "did you mean leak?" in problems[4]
    assert "like 90min, 48h or 10d" in problems[2]


def test_what_makes_no_sense_is_told_where_it_stands() -> None:
    """Kinds are right, the rule is not."""
    [problem] = said(OWN.replace("ratio: 0.3", "ratio: 30"))[:1]
    assert problem.startswith("line 13: versions[0].refunds: ")
    assert said(OWN.replace("[[10, 14]]", "[[14, 10]]"))[0].startswith("line 9")


def test_versions_are_told_apart_by_their_dates() -> None:
    version = OWN[OWN.index("  - valid_from") :]
    [problem] = said(OWN + version)
    assert "versions[0] is valid from 2024-10-01 already" in problem


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("a: [", "no YAML"),
        ("[1, 2]", "mapping"),
        ("code: x\nname: y\nversions: []", "at least one version"),
        ("code: x\nname: y\nversions: [3]", "mapping"),
        ("code: x\nname: y", "is missing"),
        ("code: x\ncode: x\nname: y\nversions: [3]", "said twice"),
        ("code: x\nname: y\nversions: [{valid_from: 2024-13-01, threshold_c: 18}]", "month"),
    ],
)
def test_no_file_is_too_wrong_for_a_sentence(text: str, reason: str) -> None:
    assert any(reason in problem for problem in said(text))


@given(st.text(alphabet="[]{}:,-&*!|> \n\tcodeversions0123.", max_size=60))
def test_no_text_ends_in_anything_but_a_rule_or_problems(text: str) -> None:
    def outcome() -> object:
        try:
            return parse(text).versions
        except PolicyError as error:
            return error.problems

    assert outcome()


def test_a_stored_rule_of_an_older_release_keeps_its_meaning() -> None:
    """Fields it did not know are at their defaults, fields we do not know are passed over."""
    body = {
        "code": "x", "valid_from": "2020-01-01", "threshold_c": 18.0, "open_after": 7200.0,
        "refunds": [{"below_c": 18, "ratio": 0.5}], "forgotten": 1,
    }  # fmt: skip
    policy = from_plain(body)
    assert (policy.open_after, policy.refunds[0].including) == (timedelta(hours=2), False)


def test_a_company_works_by_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(OWN, "utf-8")
    settings = Settings(_env_file=None, policy_file=file)  # type: ignore[call-arg]
    assert settings.rule() == read(file)
    assert settings.device_zone().key == "Asia/Shanghai"
    assert Settings(_env_file=None).rule() is PROFILES["heilongjiang"]  # type: ignore[call-arg]


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.yaml"):
        read(tmp_path / "nowhere.yaml")


def test_what_is_written_leaves_out_what_is_default() -> None:
    """A rule is a page, not a form."""
    text = write(replace(PROFILES["jinan"], name="J"))
    assert "hysteresis_k" not in text
    assert "threshold_c: 18" in text


PAGES = [
    Path(__file__).parents[3] / "docs" / name for name in ("compliance.md", "compliance.zh-CN.md")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_shows_a_sound_file_and_tells_every_field_and_rule(page: Path) -> None:
    text = page.read_text("utf-8")
    example = parse(text.split("```yaml\n")[1].split("```")[0])
    assert [step.including for step in example.versions[0].refunds] == [False, True, False]
    spoken = {field.name for field in fields(Policy)} - {"code", "timezone", "source_zh"}
    assert {name for name in spoken | set(PROFILES) if f"`{name}`" not in text} <= {
        "valid_from", "source",
    }  # fmt: skip
    assert "valid_from" in text


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def hearthline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs a command as a shell would; gives its exit code and what it printed."""

    def run(*words: object) -> tuple[int, str]:
        load.cache_clear()
        monkeypatch.setattr("sys.argv", ["hearthline", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out + printed.err

    yield run
    load.cache_clear()


def test_a_rule_of_ours_is_a_file_to_start_from(hearthline: Run, tmp_path: Path) -> None:
    """Printed, saved, checked: sound."""
    code, text = hearthline("policy", "show", "tianjin", "--file")
    file = tmp_path / "tianjin.yaml"
    file.write_text(text, "utf-8")
    assert (code, read(file)) == (0, PROFILES["tianjin"])
    code, said_ = hearthline("policy", "check", file)
    assert (code, "The file is sound." in said_) == (0, True)


def test_the_check_tells_every_problem_and_fails(hearthline: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN.replace("18.5\n", "180\n").replace("leak", "leek"), "utf-8")
    code, told = hearthline("policy", "check", file, "--json")
    assert (code, json.loads(told)["sound"]) == (1, False)
    assert [problem["line"] for problem in json.loads(told)["problems"]] == [16]
    code, told = hearthline("policy", "check", tmp_path / "nowhere.yaml")
    assert (code, "cannot be read" in told) == (1, True)


def test_the_list_marks_the_rule_in_use(
    hearthline: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN, "utf-8")
    monkeypatch.setenv("HEARTHLINE_POLICY_FILE", str(file))
    code, told = hearthline("policy", "list", "--json")
    marked = [one["code"] for one in json.loads(told)["policies"] if one["in_use"]]
    assert (code, marked) == (0, ["north-heat"])
    assert "● north-heat" in hearthline("policy", "list")[1]
    code, told = hearthline("policy", "show", "atlantis")
    assert (code, "There is no policy 'atlantis'" in told) == (1, True)
    assert all("Traceback" not in hearthline("policy", "show", one)[1] for one in PROFILES)
