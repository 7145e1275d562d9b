"""Tests of app/quickstart/process.py; a small program stands for the hub."""

import sys
from pathlib import Path

import pytest

from ironhub.app.cli.problems import Problem
from ironhub.app.datadir import DataDirectory, RunInfo
from ironhub.app.quickstart import process
from ironhub.app.quickstart.process import hub_on

READY = """
import pathlib, signal, sys
def end(*_):
    pathlib.Path(sys.argv[2] + ".ended").touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
print('{"mqtt": 8883}', flush=True)
signal.pause()
"""


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


def running(mqtt: int) -> RunInfo:
    return RunInfo(pid=1, mqtt=mqtt, https=443, amqp=5671, admin=9443, metrics=9464)


def test_a_hub_that_was_started_is_stopped_at_the_end(tmp_path: Path) -> None:
    with hub_on(tmp_path / "data", program=program(READY)) as started:
        assert started is True
        assert not (tmp_path / "data.ended").exists()
    assert (tmp_path / "data.ended").exists()


def test_a_hub_that_runs_already_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DataDirectory, "running", lambda self: running(8883))
    with hub_on(tmp_path, program=("/nowhere",)) as started:
        assert started is False


def test_a_hub_that_the_sdk_does_not_dial_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = READY.replace("8883", "18883")
    with pytest.raises(Problem, match="listens on 18883"), hub_on(tmp_path / "data", program=program(elsewhere)):
        pass
    assert (tmp_path / "data.ended").exists()
    monkeypatch.setattr(DataDirectory, "running", lambda self: running(1883))
    with pytest.raises(Problem, match="listens on 1883"), hub_on(tmp_path):
        pass


def test_what_kept_the_hub_from_starting_is_told_in_its_own_words(tmp_path: Path) -> None:
    said = "import sys; sys.exit('a log line\\nerror: port.taken: port 8883 is taken (Free (it).)\\nmore')"
    with pytest.raises(Problem, match="port 8883 is taken") as refused, hub_on(tmp_path, program=program(said)):
        pass
    assert (refused.value.code, refused.value.next_step) == ("port.taken", "Free (it).")


def test_a_hub_that_ends_without_a_word_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem) as refused, hub_on(tmp_path, program=program("")):
        pass
    assert refused.value.code == "quickstart.not_started"


def test_a_hub_that_is_never_ready_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "READY_WITHIN", 0.01)
    with (
        pytest.raises(Problem) as refused,
        hub_on(tmp_path, program=program("import time; time.sleep(60)")),
    ):
        pass
    assert refused.value.code == "quickstart.not_ready"


def test_a_hub_that_does_not_stop_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_WITHIN", 0.05)
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print('{\"mqtt\": 8883}', flush=True); signal.pause()"
    with hub_on(tmp_path, program=program(deaf)) as started:
        assert started
