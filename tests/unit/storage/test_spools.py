import stat
from pathlib import Path

from ironhub.storage.spools import FileSpools


async def test_what_is_appended_is_there_until_it_is_cut_or_deleted(tmp_path: Path) -> None:
    spools = FileSpools(tmp_path / "imports")
    spool = spools.open("j1")
    spool.cut(10)
    spool.delete()
    assert not (tmp_path / "imports").exists()
    assert (spool.append(b"one\n"), spool.append(b"two\n")) == (4, 8)
    assert stat.S_IMODE((tmp_path / "imports" / "j1.errors").stat().st_mode) == 0o600
    again = spools.open("j1")
    assert [piece async for piece in again.pieces()] == [b"one\ntwo\n"]
    again.cut(4)
    assert again.append(b"2\n") == 6
    assert b"".join([piece async for piece in again.pieces()]) == b"one\n2\n"
    again.delete()
    assert list((tmp_path / "imports").iterdir()) == []
