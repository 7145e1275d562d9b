"""app/datadir.py"""

import os
import stat
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock, FakeEntropy

from ironhub.app.datadir import (
    DataDirectory,
    DirectoryIncomplete,
    DirectoryInUse,
    DirectoryMissing,
    DirectoryUnusable,
    RunInfo,
)

INFO = RunInfo(pid=1, mqtt=8883, https=443, amqp=5671, admin=9443, metrics=9464)


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    made = DataDirectory(tmp_path / "data")
    made.create(FakeEntropy())
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_creates_secrets_that_only_the_owner_reads(directory: DataDirectory) -> None:
    assert mode(directory.path) == 0o700
    assert mode(directory.path / "pki") == 0o700
    assert mode(directory.path / "master.key") == 0o600
    assert mode(directory.path / "admin.token") == 0o600
    assert len(directory.master_key()) == 32
    assert directory.master_key().hex() != directory.admin_token()


def test_the_next_start_keeps_them(directory: DataDirectory) -> None:
    before = directory.master_key(), directory.admin_token()
    directory.create(FakeEntropy("another"))
    assert (directory.master_key(), directory.admin_token()) == before


def test_a_directory_that_is_none_is_named_as_missing(tmp_path: Path) -> None:
    nothing = DataDirectory(tmp_path / "nowhere")
    assert not nothing.exists()
    for ask in (nothing.require, nothing.master_key, nothing.ca_pem):
        with pytest.raises(DirectoryMissing):
            ask()
    assert nothing.running() is None


def test_a_directory_that_cannot_be_created_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DirectoryUnusable):
        DataDirectory(tmp_path / "file" / "data").create(FakeEntropy())


def test_a_file_in_place_of_the_directory_is_named_as_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    directory = DataDirectory(tmp_path / "file")
    for ask in (directory.require, directory.make, directory.ca_pem):
        with pytest.raises(DirectoryUnusable, match="is a file, not a directory"):
            ask()
    assert directory.running() is None


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 33])
def test_a_damaged_master_key_is_refused(directory: DataDirectory, content: str) -> None:
    (directory.path / "master.key").write_text(content)
    with pytest.raises(DirectoryUnusable):
        directory.master_key()


def make_whole(directory: DataDirectory) -> None:
    for path in (directory.ca_key, directory.ca_certificate, directory.hub_database, directory.stream_database):
        path.write_bytes(b"content")


@pytest.mark.parametrize("lost", ["master.key", "pki/ca.key", "pki/ca.pem", "hub.db"])
@pytest.mark.parametrize("emptied", [False, True])
def test_what_cannot_be_made_again_is_not(directory: DataDirectory, lost: str, emptied: bool) -> None:
    make_whole(directory)
    (directory.path / lost).write_bytes(b"") if emptied else (directory.path / lost).unlink()
    with pytest.raises(DirectoryIncomplete, match=lost):
        directory.create(FakeEntropy())
    assert (directory.path / lost).exists() == emptied


def test_a_first_start_that_was_cut_short_goes_on(directory: DataDirectory) -> None:
    (directory.path / "admin.token").unlink()
    directory.hub_database.write_bytes(b"")
    directory.create(FakeEntropy())
    assert directory.admin_token()


def test_an_empty_log_is_a_loss_and_one_that_is_not_there_a_decision(directory: DataDirectory) -> None:
    directory.require_log()
    directory.stream_database.write_bytes(b"")
    with pytest.raises(DirectoryIncomplete, match=r"stream\.db"):
        directory.require_log()
    directory.stream_database.write_bytes(b"content")
    directory.require_log()


def test_a_lock_that_cannot_be_opened_says_why(directory: DataDirectory) -> None:
    (directory.path / "ironhub.lock").mkdir()
    with pytest.raises(DirectoryUnusable, match=r"ironhub\.lock"), directory.locked(FakeClock()):
        pass


def test_only_one_process_holds_the_directory(directory: DataDirectory) -> None:
    other = DataDirectory(directory.path)
    with directory.locked(FakeClock()), pytest.raises(DirectoryInUse), other.locked(FakeClock()):
        pass
    with directory.locked(FakeClock()):
        pass


def test_where_a_hub_listens_is_known_only_while_it_holds_the_directory(directory: DataDirectory) -> None:
    other = DataDirectory(directory.path)
    assert other.running() is None
    with directory.locked(FakeClock()):
        assert other.running() is None
        directory.announce(INFO)
        assert other.running() == INFO
    assert other.running() is None


def test_a_file_is_written_whole_or_not_at_all(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    target = directory.path / "pki" / "server.key"
    directory.write_private(target, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        directory.write_private(target, b"new")
    assert target.read_bytes() == b"old"
    assert mode(target) == 0o600


def test_the_certificate_to_trust_is_the_one_in_the_directory(directory: DataDirectory) -> None:
    directory.ca_certificate.write_text("PEM")
    assert directory.ca_pem() == "PEM"
