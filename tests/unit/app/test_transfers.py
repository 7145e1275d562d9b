from pathlib import Path

import pytest
from tests.fakes.pki import make_authority

from ironhub.app.settings import Settings, SettingsInvalid
from ironhub.app.transfers import trusted_authorities


def test_the_authority_of_the_hosts_is_read(tmp_path: Path) -> None:
    assert trusted_authorities(Settings()) is None
    path = tmp_path / "ca.pem"
    path.write_bytes(make_authority("Containers").pem)
    context = trusted_authorities(Settings(transfer_ca=path))
    assert context is not None
    assert [each["subject"] for each in context.get_ca_certs()]


def test_an_authority_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("nothing")
    for path in (tmp_path / "none.pem", broken):
        with pytest.raises(SettingsInvalid, match="transfer_ca"):
            trusted_authorities(Settings(transfer_ca=path))
