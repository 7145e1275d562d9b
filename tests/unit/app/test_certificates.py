"""app/certificates.py"""

from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock, FakeEntropy

from ironhub.app.certificates import ServerCertificate
from ironhub.app.datadir import DataDirectory
from ironhub.pki.issuing import covers_names

DAY = 86_400.0


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    made = DataDirectory(tmp_path / "data")
    made.create(FakeEntropy())
    return made


def test_the_first_start_makes_an_authority_and_a_certificate_with_all_names(directory: DataDirectory) -> None:
    ServerCertificate(directory, ("hub.plant.example", "192.0.2.1"), FakeClock(), FakeEntropy())
    pem = directory.server_certificate.read_bytes()
    assert covers_names(pem, ("hub.plant.example", "192.0.2.1", "localhost", "127.0.0.1", "::1"))
    assert pem.endswith(directory.ca_certificate.read_bytes())


def test_the_next_start_keeps_both(directory: DataDirectory) -> None:
    clock = FakeClock()
    first = ServerCertificate(directory, (), clock, FakeEntropy())
    before = directory.ca_certificate.read_bytes(), directory.server_certificate.read_bytes()
    assert ServerCertificate(directory, (), clock, FakeEntropy("another")).ends_at == first.ends_at
    assert clock.now() - 1 < first.made_at <= clock.now() < first.ends_at
    assert (directory.ca_certificate.read_bytes(), directory.server_certificate.read_bytes()) == before


def test_a_new_name_makes_a_new_certificate_below_the_same_authority(directory: DataDirectory) -> None:
    clock = FakeClock()
    ServerCertificate(directory, (), clock, FakeEntropy())
    authority = directory.ca_certificate.read_bytes()
    ServerCertificate(directory, ("hub.plant.example",), clock, FakeEntropy("another"))
    assert covers_names(directory.server_certificate.read_bytes(), ("hub.plant.example", "localhost"))
    assert directory.ca_certificate.read_bytes() == authority


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
@pytest.mark.parametrize("content", [None, b"", b"half of a"])
def test_a_certificate_that_is_not_whole_is_issued_again(
    directory: DataDirectory, name: str, content: bytes | None
) -> None:
    first = ServerCertificate(directory, (), FakeClock(), FakeEntropy())
    lost = directory.path / "pki" / name
    lost.unlink() if content is None else lost.write_bytes(content)
    again = ServerCertificate(directory, (), FakeClock(), FakeEntropy("another"))
    again.context("ssl")
    assert again.ends_at == first.ends_at


def test_it_renews_itself_when_a_third_of_its_life_is_left(directory: DataDirectory) -> None:
    clock = FakeClock()
    certificate = ServerCertificate(directory, (), clock, FakeEntropy())
    ends_at = certificate.ends_at
    clock.advance(200 * DAY)
    assert not certificate.renew_if_due()
    clock.advance(80 * DAY)
    assert certificate.renew_if_due()
    assert certificate.ends_at > ends_at
    assert not certificate.renew_if_due()


@pytest.mark.parametrize("engine", ["ssl", "openssl"])
def test_a_context_shows_it(directory: DataDirectory, engine: str) -> None:
    certificate = ServerCertificate(directory, (), FakeClock(), FakeEntropy())
    assert certificate.context(engine).new_engine() is not None
