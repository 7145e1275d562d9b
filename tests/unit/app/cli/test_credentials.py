"""Tests of app/cli/credentials.py."""

from pathlib import Path

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.app.cli.credentials import auth_of, rolled
from ironhub.app.cli.options import Auth
from ironhub.app.cli.problems import UsageProblem


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with two keys."""
    path = tmp_path / "keys"
    path.write_text("one\ntwo\n")
    return path


def test_what_is_said_decides_how_it_proves_itself(keys: Path) -> None:
    assert auth_of(None, None, None) is None
    assert auth_of(Auth.SAS, [], None) == {"kind": "sas"}
    assert auth_of(None, ["ab"], None) == {"kind": "x509-thumbprint", "thumbprints": ["ab"]}
    assert auth_of(None, None, keys) == {"kind": "sas", "keys": {"primary": "one", "secondary": "two"}}
    assert auth_of(Auth.X509_CA, None, None) == {"kind": "x509-ca"}


def test_what_does_not_fit_together_is_a_usage_problem(keys: Path) -> None:
    for auth, thumbprints, file in (
        (Auth.SAS, ["ab"], None),
        (Auth.X509_THUMBPRINT, None, None),
        (Auth.X509_CA, None, keys),
    ):
        with pytest.raises(UsageProblem):
            auth_of(auth, thumbprints, file)


def test_a_key_file_holds_two_keys(keys: Path) -> None:
    keys.write_text("only one\nof\nthree")
    with pytest.raises(UsageProblem, match="does not hold two keys"):
        auth_of(None, None, keys)


def test_one_key_is_rolled_at_a_time() -> None:
    device = {"auth": {"kind": "sas", "keys": {"primary": "p", "secondary": "s"}}}
    auth = rolled(device, "primary", FakeEntropy())
    assert auth["keys"]["secondary"] == "s"
    assert len(auth["keys"]["primary"]) == 44
    with pytest.raises(UsageProblem):
        rolled({"auth": {"keys": None}}, "primary", FakeEntropy())
