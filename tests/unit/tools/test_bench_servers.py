"""The peer's configuration: as strict and as durable as is claimed."""

import stat
from pathlib import Path

import pytest
from tools.bench.credentials import make_ca
from tools.bench.servers import READER, acl, configuration, write_configuration


@pytest.mark.parametrize(
    "line",
    [
        "listener 8883 127.30.0.3",
        "require_certificate true",
        "use_identity_as_username true",
        "persistence true",
        "max_queued_messages 0",
    ],
)
def test_the_peer_demands_certificates_and_keeps_every_message(line: str) -> None:
    assert line in configuration(Path("/somewhere"), "127.30.0.3").splitlines()


def test_a_device_may_write_below_its_own_name_only() -> None:
    rules = acl().splitlines()
    assert "pattern write devices/%u/messages/events/#" in rules
    assert rules[:2] == [f"user {READER}", "topic read #"]


def test_everything_the_configuration_names_is_written(tmp_path: Path) -> None:
    directory = tmp_path / "mosquitto"
    write_configuration(directory, "127.30.0.3", make_ca("bench authority"))
    names = ("cafile", "certfile", "keyfile", "acl_file")
    for line in (directory / "mosquitto.conf").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name in names:
            assert Path(value).read_bytes()


def test_the_peers_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    write_configuration(tmp_path / "mosquitto", "127.30.0.3", make_ca("bench authority"))
    assert stat.S_IMODE((tmp_path / "mosquitto" / "server.key").stat().st_mode) == 0o600
