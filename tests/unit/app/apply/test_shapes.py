"""Tests of app/apply/shapes.py."""

from pathlib import Path

import pytest

from ironhub.app.apply.shapes import WantedAuth, keys_of, wanted_hub
from ironhub.app.apply.text import FileInvalid, read_text
from ironhub.app.cli.options import Auth


def told(text: str) -> str:
    with pytest.raises(FileInvalid) as caught:
        wanted_hub(read_text(text.encode()))
    return str(caught.value)


def test_a_section_that_is_left_out_is_not_looked_at() -> None:
    hub = wanted_hub(read_text(b"version: 1\ndevices: []\n"))
    assert (hub.policies, hub.authorities, hub.devices) == (None, None, ())


def test_every_mistake_is_told_with_its_line() -> None:
    text = "version: 1\ndevices:\n- id: a\n  colour: red\n- auth: {kind: sas}\n- id: c\n  status: maybe\n"
    message = told(text)
    assert "line 4: devices.0.colour: " in message
    assert "line 5: devices.1.id: " in message
    assert "line 7: devices.2.status: " in message


def test_no_more_mistakes_are_told_than_anybody_reads() -> None:
    devices = "".join("- {}\n" for _ in range(50))
    assert told(f"version: 1\ndevices:\n{devices}").endswith("and 30 more")


@pytest.mark.parametrize("text", ["", "[]", "version: 2", "version: '1'", "devices: []", "version: 1\nroutes: []\n"])
def test_a_file_says_its_version_and_nothing_unknown(text: str) -> None:
    assert told(text).startswith("line ")


@pytest.mark.parametrize(
    ("auth", "part"),
    [
        ("{kind: x509-thumbprint}", "thumbprints belong"),
        ("{kind: sas, thumbprints: [aa]}", "thumbprints belong"),
        ("{kind: x509-ca, key_file: k}", "keys belong to sas"),
        ("{kind: sas, key_file: k, key_env: [A, B]}", "not both"),
        ("{kind: sas, keys: {primary: a, secondary: b}}", "Extra inputs"),
        ("{kind: password}", "Input should be"),
    ],
)
def test_credentials_must_fit_together_and_keys_never_stand_in_the_file(auth: str, part: str) -> None:
    assert part in told(f"version: 1\ndevices:\n- id: a\n  auth: {auth}\n")


@pytest.mark.parametrize(
    "text",
    [
        "devices:\n- id: a\n- id: a\n",
        "policies:\n- {name: a, rights: [RegistryRead]}\n- {name: A, rights: [RegistryRead]}\n",
        "authorities:\n- {name: a, certificate: x}\n- {name: a, certificate: y}\n",
        "devices:\n- id: a\n  modules:\n  - id: m\n  - id: m\n",
    ],
)
def test_nothing_is_wanted_twice(text: str) -> None:
    assert "stands there twice" in told(f"version: 1\n{text}")


def test_keys_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").write_text("one\ntwo\n")
    found = keys_of(WantedAuth(kind=Auth.SAS, key_file=Path("keys")), tmp_path)
    assert found == {"primary": "one", "secondary": "two"}
    monkeypatch.setenv("FIRST", "a")
    monkeypatch.setenv("SECOND", "b")
    found = keys_of(WantedAuth(kind=Auth.SAS, key_env=("FIRST", "SECOND")), tmp_path)
    assert found == {"primary": "a", "secondary": "b"}
    assert keys_of(WantedAuth(kind=Auth.SAS), tmp_path) is None
    monkeypatch.delenv("SECOND")
    with pytest.raises(FileInvalid, match="FIRST and SECOND: two keys"):
        keys_of(WantedAuth(kind=Auth.SAS, key_env=("FIRST", "SECOND")), tmp_path)
    with pytest.raises(OSError, match="nothing"):
        keys_of(WantedAuth(kind=Auth.SAS, key_file=Path("nothing")), tmp_path)
