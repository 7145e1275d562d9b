from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ironhub.app.fleet import importing
from ironhub.app.fleet.exporting import LineSink, TableSink, copy_lines, private_file
from ironhub.core.errors import CorruptStore


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_BATCH", 4)


async def test_an_export_to_a_table_is_one(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"device_id"', b': "a"}\n{"device_id": "b"}\n'):
            yield piece

    with private_file(tmp_path / "out.csv") as file:
        sink = TableSink(file)
        assert await copy_lines(pieces(), sink) == 2
        sink.detach()
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("a,")


async def test_an_export_that_broke_off_leaves_no_file(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"device_id": "a"}\n{"dev'

    with pytest.raises(CorruptStore), private_file(tmp_path / "out") as file:
        await copy_lines(pieces(), LineSink(file))
    assert list(tmp_path.iterdir()) == []
