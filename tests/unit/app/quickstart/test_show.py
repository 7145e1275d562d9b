"""Tests of app/quickstart/show.py."""

import io
import json
import sys

import pytest

from ironhub.app.quickstart.show import showing

EVENT = {"enqueued_at": "2026-05-28T20:26:40.000Z", "device_id": "d", "body": {"t": 1}}


def test_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with showing(as_json=False) as show:
        show.arrived(EVENT, 0.0123)
    assert capsys.readouterr().out == '2026-05-28T20:26:40.000Z  d  {"t": 1}  12.3 ms\n'


def test_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with showing(as_json=True) as show:
        show.arrived(EVENT, 0.0123)
    assert json.loads(capsys.readouterr().out) == {**EVENT, "latency_ms": 12.3}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "160")
    with showing(as_json=False) as show:
        for number in range(20):
            show.arrived({**EVENT, "body": f"[b]{number}[/b]\x1b"}, 0.001)
    assert "[b]19[/b]\\x1b" in terminal.getvalue()
    assert "LATENCY" in terminal.getvalue()
