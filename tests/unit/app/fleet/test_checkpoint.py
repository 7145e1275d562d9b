import json
from pathlib import Path

import pytest

from ironhub.app.cli.problems import UsageProblem
from ironhub.app.fleet import importing
from ironhub.app.fleet.checkpoint import Checkpoint, Progress, fingerprint


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_BATCH", 4)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Ten devices; the third line is none, the eighth comes twice."""
    ids = ["d1", "d2", "", "d4", "d5", "d6", "d7", "d1", "d9", "d10"]
    path = tmp_path / "devices.jsonl"
    path.write_text("".join(json.dumps({"device_id": each}) + "\n" for each in ids))
    return path


def test_an_import_is_taken_up_where_one_was_interrupted_and_only_of_the_same_file(source: Path) -> None:
    begun = Progress("a", fingerprint(source), "jsonl", "create")
    checkpoint = Checkpoint(source)
    with pytest.raises(UsageProblem, match="no import"):
        checkpoint.resume(begun)
    checkpoint.begin(begun)
    with pytest.raises(UsageProblem, match="interrupted"):
        checkpoint.begin(begun)
    assert checkpoint.resume(begun) == begun
    source.write_text("something else")
    with pytest.raises(UsageProblem, match="changed"):
        checkpoint.resume(Progress("b", fingerprint(source), "jsonl", None))
    checkpoint.path.write_text("{")
    with pytest.raises(UsageProblem, match="cannot be read"):
        checkpoint.resume(begun)
    checkpoint.end()
    checkpoint.end()
