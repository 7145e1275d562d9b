"""Tests of app/simulator/show.py"""

import pytest

from ironhub.app.simulator.plant import Counts
from ironhub.app.simulator.show import EVERY, SOON, line_of, showing, summary_of

COUNTS = Counts(connected=4999, acked=12_000, warnings=7, faults=2, repairs=1, reconnects=30)


def test_a_line_tells_people_how_it_goes() -> None:
    assert line_of(COUNTS, 5000, 24.0) == (
        "4,999 of 5,000 connected  12,000 stored (500/s)  7 warnings  2 faults  1 repairs  30 reconnects"
    )
    assert "(0/s)" in line_of(Counts(), 1, 0.0)


def test_a_summary_holds_every_count() -> None:
    summary = summary_of(COUNTS, 5000, 24.00049, 3)
    assert (summary["devices"], summary["seconds"], summary["seed"]) == (5000, 24.0, 3)
    assert summary["faults"] == 2
    assert summary["refused"] == 0


def test_lines_go_to_stderr_now_and_then_and_nothing_goes_anywhere_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with showing(quiet=False) as (every, tell):
        assert every == EVERY
        tell("hello")
    with showing(quiet=True) as (_, tell):
        tell("nobody hears this")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello\n")


def test_on_a_terminal_one_line_stays_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with showing(quiet=False) as (every, tell):
        assert every == SOON
        tell("hello")
