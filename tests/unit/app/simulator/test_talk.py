"""Tests of app/simulator/talk.py"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.app.simulator import talk
from ironhub.app.simulator.model import Level, Machine, read
from ironhub.app.simulator.profiles import PRESS_SHOP
from ironhub.core.ids import identity
from ironhub.dialects.azure.topics import SendTelemetry, operation_of

MACHINE = Machine(PRESS_SHOP, 1, 7)
NEW = MACHINE.when_new(1_780_000_000.0)


def test_a_message_says_when_how_and_what() -> None:
    _, reading = read(MACHINE, NEW)
    body = json.loads(talk.telemetry(reading))
    assert body["at"] == "2026-05-28T20:26:40.000Z"
    assert (body["level"], body["code"], body["pieces"]) == ("normal", None, 0)
    assert set(body) >= {measurement.name for measurement in PRESS_SHOP.measurements}


def test_how_a_machine_is_stands_in_the_properties_too() -> None:
    who = identity(MACHINE.device_id)
    topics = talk.telemetry_topics(who)
    assert len(set(topics.values())) == len(Level)
    operation = operation_of(topics[Level.FAULT], who)
    assert isinstance(operation, SendTelemetry)
    assert operation.bag.endswith(b"level=fault&simulated=true")


def test_only_what_changed_is_reported() -> None:
    before = talk.reported(MACHINE, NEW, 10.0)
    assert talk.changes({}, before) == before
    assert talk.changes(before, before) == {}
    assert talk.changes(before, talk.reported(MACHINE, NEW, 5.0)) == {"interval": 5.0}


@pytest.mark.parametrize(
    ("payload", "interval"),
    [
        (b'{"desired": {"interval": 5}, "reported": {"interval": 9}}', 5.0),
        (b'{"interval": 0.5, "$version": 3}', 0.5),
        (b'{"interval": null}', None),
        (b'{"interval": true}', None),
        (b'{"interval": 0.01}', None),
        (b'{"interval": "5"}', None),
        (b'{"desired": 5}', None),
        (b"[5]", None),
        (b"{", None),
    ],
)
def test_desired_properties_are_obeyed_where_they_make_sense(payload: bytes, interval: float | None) -> None:
    assert talk.wanted_interval(payload) == interval


@pytest.mark.parametrize(
    ("name", "payload", "status"),
    [
        ("setInterval", b"5", 200),
        ("setInterval", b'{"seconds": 2.5}', 200),
        ("setInterval", b'{"seconds": -1}', 400),
        ("setInterval", b"", 400),
        ("restart", b"null", 200),
        ("status", b"null", 200),
        ("explode", b"null", 404),
    ],
)
def test_methods_are_answered(name: str, payload: bytes, status: int) -> None:
    answer = talk.answer_method(MACHINE, NEW, name, payload)
    assert answer.status == status
    assert isinstance(json.loads(answer.payload), dict)
    assert (answer.interval is not None) == (name == "setInterval" and status == 200)
    assert answer.restart == (name == "restart")


@given(name=st.text(), payload=st.binary(max_size=60))
def test_no_call_and_no_document_upsets_a_machine(name: str, payload: bytes) -> None:
    assert json.loads(talk.answer_method(MACHINE, NEW, name.encode("utf-8", "replace").decode(), payload).payload)
    interval = talk.wanted_interval(payload)
    assert interval is None or talk.MIN_INTERVAL <= interval <= talk.MAX_INTERVAL
