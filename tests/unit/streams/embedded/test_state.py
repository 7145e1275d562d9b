"""What the file says of itself."""

from pathlib import Path

from tests.fakes.clock import START
from tests.fakes.log_files import change, open_file, work
from tests.fakes.streams import entries

from ironhub.messaging.telemetry.model import PartitionEnds
from ironhub.streams.embedded.state import SAFE_JUMP


def test_an_empty_log_begins_at_zero(tmp_path: Path) -> None:
    file = open_file(tmp_path / "stream.db")
    assert file.ends == [PartitionEnds(0, 0, None)] * 4
    assert (file.relayed, file.positions) == (0, {})
    file.close()


def test_numbers_go_on_well_behind_a_damaged_last_chunk(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    file = open_file(path)
    file.commit(work({0: entries(1, 2)}))
    file.commit(work({0: entries(3, 4)}))
    file.close()
    change(path, "UPDATE chunk_0 SET entries = 1 WHERE first = 2")
    file = open_file(path)
    assert file.ends[0] == PartitionEnds(0, 2 + SAFE_JUMP, None)
    file.commit(work({0: entries(5)}))
    file.close()
    file = open_file(path)
    assert file.ends[0] == PartitionEnds(0, 3 + SAFE_JUMP, START)
    file.close()


def test_what_was_kept_at_the_last_trim_counts_when_the_chunks_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    open_file(path).close()
    change(path, "INSERT INTO kept VALUES (1, 20, 30, 5.5)")
    file = open_file(path)
    assert file.ends[1] == PartitionEnds(20, 30, 5.5)
    file.close()
