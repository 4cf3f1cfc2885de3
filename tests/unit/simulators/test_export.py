"""Truth files: complete, loadable without pickle, and the same as the trace in memory."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulators import City, trace
from simulators.truth.export import ExportError, TruthWriter, Written, check_path, write
from simulators.truth.survey import survey

FAULTS = """
faults:
  - {cause: pump_trip, place: H-S2, onset: 2h, end: 11h}
  - {cause: valve_closed, place: [H-S1-B01-E1-0101, H-S1-B01-E1-0201], onset: -3d}
  - {cause: sensor_stuck, place: H-S1-B02-E1-0101, onset: 1h, severity: 15}
"""
LENGTH = timedelta(hours=20)


@pytest.fixture
def city(hamlet: Callable[..., City]) -> City:
    return hamlet(FAULTS)


def loaded(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_the_npz_holds_the_hours_of_the_trace(city: City, anchor: datetime, tmp_path: Path) -> None:
    write(city, anchor, LENGTH, tmp_path / "truth.npz")
    file, truth = loaded(tmp_path / "truth.npz"), trace(city, anchor, LENGTH)
    assert file["room_c"].shape == (20, city.layout.units)
    assert np.abs(file["room_c"] - truth.room_c).max() < 0.002
    assert np.abs(file["twin_c"] - truth.twin_c).max() < 0.002
    assert file["units"].tolist() == city.unit_codes
    assert file["hour_starts"][0] == np.datetime64("2026-01-12T02:30:00")
    assert (np.diff(file["hour_starts"]) == np.timedelta64(1, "h")).all()
    assert (str(file["scenario"]), int(file["seed"])) == ("hamlet", 3)


def test_days_are_those_of_the_scenarios_time_zone(
    city: City, anchor: datetime, tmp_path: Path
) -> None:
    """Half past two UTC is half past ten in Shanghai: 14 hours of the first day are left."""
    write(city, anchor, LENGTH, tmp_path / "truth.npz")
    file = loaded(tmp_path / "truth.npz")
    assert file["dates"].astype(str).tolist() == ["2026-01-12", "2026-01-13"]
    assert file["day_hours"].tolist() == [14, 6]
    first = file["room_c"][:14]
    assert np.abs(file["day_mean_c"][0] - first.mean(axis=0)).max() < 0.002
    assert (file["day_min_c"][0] <= first.min(axis=0) + 0.002).all()
    assert (file["day_below_min"].max(axis=1) <= [14 * 60, 6 * 60]).all()


def test_a_day_names_the_fault_that_made_the_dwelling_cold(
    city: City, anchor: datetime, tmp_path: Path
) -> None:
    write(city, anchor, LENGTH, tmp_path / "truth.npz")
    file = loaded(tmp_path / "truth.npz")
    cold = trace(city, anchor, LENGTH).cold(0)[:14].any(axis=0)
    assert cold.any()
    assert np.array_equal(file["day_fault"][0] == 0, cold)
    west = np.char.startswith(file["units"], "H-S2")
    assert (file["day_fault"][:, ~west] != 0).all()


def test_the_fault_table_says_what_where_when_and_whom(
    city: City, anchor: datetime, tmp_path: Path
) -> None:
    write(city, anchor, LENGTH, tmp_path / "truth.npz")
    file, truth = loaded(tmp_path / "truth.npz"), trace(city, anchor, LENGTH)
    assert file["fault_cause"].tolist() == ["pump_trip", "valve_closed", "sensor_stuck"]
    assert file["fault_onset_s"].tolist() == [7200.0, -3 * 86400.0, 3600.0]
    assert file["fault_end_s"].tolist() == [11 * 3600.0, np.inf, np.inf]
    places, start = file["fault_places"], file["fault_places_start"]
    assert places[start[1] : start[2]].tolist() == ["H-S1-B01-E1-0101", "H-S1-B01-E1-0201"]
    cold, start = file["fault_cold_units"], file["fault_cold_units_start"]
    for fault in range(3):
        named = frozenset(file["units"][cold[start[fault] : start[fault + 1]]].tolist())
        assert named == truth.cold_units(fault)


def test_parquet_says_the_same_in_four_files(city: City, anchor: datetime, tmp_path: Path) -> None:
    written = write(city, anchor, LENGTH, tmp_path / "truth.parquet")
    write(city, anchor, LENGTH, tmp_path / "truth.npz")
    plain = loaded(tmp_path / "truth.npz")
    names = ["truth.parquet", "truth-days.parquet", "truth-faults.parquet", "truth-calls.parquet"]
    assert [path.name for path in written.files] == names
    rooms, days, faults, calls = (pq.read_table(path) for path in written.files)
    units = city.layout.units
    assert np.array_equal(rooms["room_c"].to_numpy().reshape(-1, units), plain["room_c"])
    assert rooms["at"][units].as_py() == anchor + timedelta(hours=1)
    assert rooms["unit"][units + 1].as_py() == city.unit_codes[1]
    assert days.num_rows == 2 * units
    blamed = days["fault"].fill_null(-1).to_numpy().reshape(-1, units)
    assert np.array_equal(blamed, plain["day_fault"])
    assert faults["end_at"].to_pylist() == [anchor + timedelta(hours=11), None, None]
    assert set(faults["cold_units"][0].as_py()) == trace(city, anchor, LENGTH).cold_units(0)
    assert rooms.schema.metadata[b"scenario"] == b"hamlet"
    assert calls.num_rows == written.calls == len(plain["call_at"]) > 0
    assert calls["unit"].to_pylist() == plain["units"][plain["call_unit"]].tolist()


def test_the_same_run_gives_the_same_bytes(city: City, anchor: datetime, tmp_path: Path) -> None:
    digests = set()
    for name in ("one.npz", "two.npz"):
        write(city, anchor, timedelta(hours=2), tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_what_was_written_is_counted(city: City, anchor: datetime, tmp_path: Path) -> None:
    steps: list[float] = []
    written = write(
        city, anchor, LENGTH, tmp_path / "t.npz", lambda done, _total, _text: steps.append(done)
    )
    assert (written.hours, written.days, written.faults) == (20, 2, 3)
    assert written.dwellings == city.layout.units
    assert 0 < written.cold_by_fault_dwelling_days <= written.cold_dwelling_days
    assert steps == list(range(1, 21))
    assert written.as_dict()["files"] == [str(tmp_path / "t.npz")]
    assert isinstance(written, Written)


def test_a_city_without_faults_has_an_empty_fault_table(
    hamlet: Callable[..., City], anchor: datetime, tmp_path: Path
) -> None:
    for name in ("t.npz", "t.parquet"):
        assert write(hamlet(), anchor, timedelta(hours=2), tmp_path / name).faults == 0
    file = loaded(tmp_path / "t.npz")
    assert len(file["fault_cause"]) == 0
    assert np.array_equal(file["room_c"], file["twin_c"])
    assert pq.read_table(tmp_path / "t-faults.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["t.npz", "t.parquet"])
def test_a_run_that_stops_half_way_leaves_no_file(
    city: City, anchor: datetime, tmp_path: Path, name: str
) -> None:
    with TruthWriter(city, anchor, LENGTH, tmp_path / name) as writer:
        writer.take(next(survey(city, anchor, LENGTH)))
    assert writer.written is None
    assert list(tmp_path.iterdir()) == []


def test_errors_say_what_to_do(tmp_path: Path, city: City, anchor: datetime) -> None:
    with pytest.raises(ExportError, match=r"ends in \.npz or \.parquet, got 'truth\.csv'"):
        check_path(tmp_path / "truth.csv")
    with pytest.raises(ExportError, match=r"no folder .*nowhere; make it first"):
        check_path(tmp_path / "nowhere" / "truth.npz")
    with pytest.raises(ValueError, match="take 1 h or more"):
        write(city, anchor, timedelta(minutes=10), tmp_path / "truth.npz")


def test_without_pyarrow_the_error_names_the_remedy(tmp_path: Path) -> None:
    """In a process of its own in which pyarrow cannot be found."""
    code = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.split('.')[0] == 'pyarrow': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "from simulators.truth.export import ExportError, check_path\n"
        "try: check_path(sys.argv[1])\n"
        "except ExportError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "t.parquet")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "pip install 'hearthline[simulator]'" in said
