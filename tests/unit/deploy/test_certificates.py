"""The certificate authority that is made with the machine's openssl."""

import stat
import subprocess

import pytest
from stack.certificates import Authority, alternative_name
from stack.errors import StackError, UsageError


def shown(certificate, *what):
    argv = ["openssl", "x509", "-in", str(certificate), "-noout", *what]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_devices_certificate_bears_its_name_and_may_only_log_in(tmp_path):
    certificate, _ = Authority(tmp_path).for_client("room-1")
    assert shown(certificate, "-subject").strip().replace(" ", "") == "subject=CN=room-1"
    text = shown(certificate, "-text")
    assert "TLS Web Client Authentication" in text
    assert "CA:FALSE" in text
    assert "TLS Web Server" not in text


def test_a_brokers_certificate_bears_all_its_names(tmp_path):
    certificate, _ = Authority(tmp_path).for_broker(["broker.example", "10.0.0.7"])
    text = shown(certificate, "-text")
    assert "DNS:broker.example, IP Address:10.0.0.7" in text
    assert "TLS Web Server Authentication" in text
    assert "TLS Web Client" not in text


def test_the_authority_is_made_once_and_signs_all(tmp_path):
    authority = Authority(tmp_path / "new")
    files = [authority.for_client(name)[0] for name in ("a", "b")]
    argv = ["openssl", "verify", "-CAfile", str(authority.certificate), *map(str, files)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.count(": OK") == 2


def test_keys_are_nobody_elses_business(tmp_path):
    authority = Authority(tmp_path / "new")
    _, key = authority.for_client("a")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (key, authority.key)} == {0o600}
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["", "a/b", "+", "a b", "ca", "broker"])
def test_names_that_would_do_harm_are_refused(tmp_path, name):
    """`a/b` would be believed as the device `a`; `ca` and `broker` are files of their own."""
    with pytest.raises(UsageError):
        Authority(tmp_path).for_client(name)


def test_what_is_no_host_is_refused():
    assert alternative_name("::1") == "IP:::1"
    with pytest.raises(UsageError, match="neither a host name nor an address"):
        alternative_name("x,DNS:evil")


def test_openssl_s_own_words_are_passed_on(tmp_path):
    authority = Authority(tmp_path)
    authority.ensure()
    authority.key.write_text("rubbish")
    with pytest.raises(StackError, match="openssl x509 ended with code"):
        authority.for_client("a")
