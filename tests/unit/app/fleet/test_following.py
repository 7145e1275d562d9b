import pytest
from tests.fakes.clock import FakeClock

from ironhub.app.fleet import importing
from ironhub.app.fleet.checkpoint import Progress
from ironhub.app.fleet.following import Bar, Lines, failure_line, watching


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_BATCH", 4)


def test_a_failure_is_one_line_and_progress_is_told_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_on_a_terminal_a_bar_moves_and_failures_stand_above_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    failure = {"line": 3, "device_id": "[b]a", "module_id": None, "code": "c.d", "message": "m", "next_step": "s"}
    with watching(FakeClock(), 1000) as watcher:
        assert isinstance(watcher, Bar)
        watcher.failed(failure)
        watcher.moved(Progress("n", "", "csv", None, 10, 9, 1), 1000)
    assert "line 3: [b]a: c.d" in capsys.readouterr().err


def test_elsewhere_there_are_lines() -> None:
    with watching(FakeClock(), None) as watcher:
        assert isinstance(watcher, Lines)
