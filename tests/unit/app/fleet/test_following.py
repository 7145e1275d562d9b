import pytest

from ironhub.app.fleet import importing
from ironhub.app.fleet.checkpoint import Progress
from ironhub.app.fleet.following import Lines, failure_line


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_BATCH", 4)


def test_a_failure_is_one_line_and_progress_is_told_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.fakes.clock import FakeClock

    clock = FakeClock()
    watcher = Lines(clock, 1000)
    failure = {"line": 3, "device_id": "a\x1b[2J", "module_id": "m", "code": "c.d", "message": "m\nn", "next_step": "s"}
    watcher.failed(failure)
    watcher.moved(Progress("n", "", "csv", None, 10, 9, 1), 100)
    clock.advance(6)
    watcher.moved(Progress("n", "", "csv", None, 20, 18, 2), 500)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "\x1b" not in lines[0]
    assert lines[0].startswith("line 3: a")
    assert lines[1] == "20 rows, 50 %, 2 failed, 3 a second"
    assert "line 3: c.d" in failure_line({**failure, "device_id": None, "module_id": None})
