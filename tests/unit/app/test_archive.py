"""app/archive.py"""

import asyncio
import io
import stat
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.app.archive import ALWAYS, ArchiveInvalid, RestoreRefused, restore_archive, write_archive
from ironhub.app.datadir import DataDirectory

PATIENCE = 10.0


async def copy_registry(path: Path) -> None:
    path.write_bytes(b"registry")


async def copy_stream(path: Path) -> None:
    path.write_bytes(b"stream")


@pytest.fixture
async def archive(tmp_path: Path) -> Path:
    directory = DataDirectory(tmp_path / "data")
    directory.create(FakeEntropy())
    for name in ("ca.pem", "ca.key", "server.pem", "server.key"):
        directory.write_private(directory.path / "pki" / name, name.encode())
    directory.settings_file.write_text("mqtt_port = 1")
    target = tmp_path / "backup.ironhub"
    await write_archive(directory, target, registry=copy_registry, stream=copy_stream)
    return target


async def test_a_backup_holds_everything_but_the_admin_token_and_is_private(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        assert set(packed.getnames()) == {*ALWAYS, "ironhub.toml"}
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert not [path for path in archive.parent.rglob("*") if path.name.startswith(".")]


async def test_the_hub_goes_on_while_the_archive_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log may hold gigabytes: whatever packs it must not hold up the event loop."""
    directory = DataDirectory(tmp_path / "data")
    directory.create(FakeEntropy())
    loop, lively = asyncio.get_running_loop(), threading.Event()
    add = tarfile.TarFile.add

    def slow(archive: tarfile.TarFile, *arguments: Any, **options: Any) -> None:
        loop.call_soon_threadsafe(lively.set)
        assert lively.wait(PATIENCE)
        add(archive, *arguments, **options)

    monkeypatch.setattr(tarfile.TarFile, "add", slow)
    await write_archive(directory, tmp_path / "backup", registry=copy_registry, stream=copy_stream)
    assert lively.is_set()


async def test_a_pack_that_fails_leaves_no_half_archive_with_the_master_key(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, target = DataDirectory(tmp_path / "data"), tmp_path / "full"
    target.mkdir()
    add = tarfile.TarFile.add

    def fill(packed: tarfile.TarFile, source: Path, name: str, **options: Any) -> None:
        add(packed, source, name, **options)
        if name == "master.key":
            raise OSError("no space left")

    monkeypatch.setattr(tarfile.TarFile, "add", fill)
    with pytest.raises(OSError, match="no space left"):
        await write_archive(directory, target / "backup", registry=copy_registry, stream=copy_stream)
    assert list(target.iterdir()) == []
    assert not [path for path in directory.path.iterdir() if path.name.startswith(".")]


async def test_what_is_restored_is_what_was_there(archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "data"
    restore_archive(archive, target)
    assert (target / "hub.db").read_bytes() == b"registry"
    assert (target / "stream.db").read_bytes() == b"stream"
    assert (target / "ironhub.toml").read_text() == "mqtt_port = 1"
    assert DataDirectory(target).master_key() == DataDirectory(tmp_path / "data").master_key()
    assert stat.S_IMODE((target / "master.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(target.stat().st_mode) == 0o700


async def test_nothing_is_restored_over_something(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(RestoreRefused):
        restore_archive(archive, tmp_path / "data")
    (tmp_path / "file").write_text("")
    with pytest.raises(RestoreRefused):
        restore_archive(archive, tmp_path / "file")


async def test_an_empty_directory_may_be_filled(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o700)
    restore_archive(archive, tmp_path / "empty")
    assert (tmp_path / "empty" / "hub.db").is_file()


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ArchiveInvalid):
        restore_archive(tmp_path / "x", tmp_path / "new")


async def test_a_backup_that_was_cut_short_is_refused(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(ArchiveInvalid):
        restore_archive(archive, tmp_path / "new")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "hub.db/x", "pki/other"])
def test_a_name_that_no_backup_has_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    forged = tmp_path / "forged"
    with tarfile.open(forged, "w") as packed:
        for each in (*ALWAYS, name):
            member = tarfile.TarInfo(each)
            member.size = 1
            packed.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(ArchiveInvalid):
        restore_archive(forged, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_anything_but_a_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    forged = tmp_path / "forged"
    with tarfile.open(forged, "w") as packed:
        member = tarfile.TarInfo("master.key")
        member.type, member.linkname = kind, "/etc/passwd"
        packed.addfile(member)
    with pytest.raises(ArchiveInvalid):
        restore_archive(forged, tmp_path / "new")


async def test_a_backup_that_lacks_a_part_is_refused(archive: Path, tmp_path: Path) -> None:
    short = tmp_path / "short"
    with tarfile.open(archive) as whole, tarfile.open(short, "w") as packed:
        for member in whole.getmembers():
            if member.name != "master.key":
                packed.addfile(member, whole.extractfile(member))
    with pytest.raises(ArchiveInvalid, match=r"master\.key"):
        restore_archive(short, tmp_path / "new")
