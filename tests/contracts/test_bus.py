"""What every bus keeps."""

import logging

import pytest

from ironhub.core.bus import Bus, CommandQueued, Notice, PolicyChanged
from ironhub.core.ids import identity
from ironhub.streams.inproc import InprocBus

ONE, TWO, THREE = PolicyChanged("one"), PolicyChanged("two"), CommandQueued(identity("press-7"))


@pytest.fixture(params=["inproc"])
def bus(request: pytest.FixtureRequest) -> Bus:
    return {"inproc": InprocBus}[request.param]()


def test_every_subscriber_hears_every_notice_in_order(bus: Bus) -> None:
    first: list[Notice] = []
    second: list[Notice] = []
    bus.publish(ONE)
    bus.subscribe(first.append)
    bus.publish(TWO)
    bus.subscribe(second.append)
    bus.publish(THREE)
    bus.publish(ONE)
    assert first == [TWO, THREE, ONE]
    assert second == [THREE, ONE]


def test_a_handler_that_raises_stops_nobody_else(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    def broken(notice: Notice) -> None:
        raise RuntimeError("no")

    heard: list[Notice] = []
    bus.subscribe(broken)
    bus.subscribe(heard.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(ONE)
        bus.publish(TWO)
    assert heard == [ONE, TWO]
    assert [record.message for record in caplog.records] == ["bus_handler_failed"] * 2


def test_who_leaves_while_a_notice_is_told_hears_it_no_more(bus: Bus) -> None:
    heard: list[Notice] = []
    bus.subscribe(lambda notice: leave())
    leave = bus.subscribe(heard.append)
    bus.publish(ONE)
    leave()
    assert heard == []


def test_a_handler_may_leave_when_it_is_told(bus: Bus) -> None:
    heard: list[Notice] = []

    def once(notice: Notice) -> None:
        heard.append(notice)
        leave()

    leave = bus.subscribe(once)
    bus.subscribe(heard.append)
    bus.publish(ONE)
    bus.publish(TWO)
    assert heard == [ONE, ONE, TWO]


def test_one_handler_subscribed_twice_leaves_once(bus: Bus) -> None:
    heard: list[Notice] = []
    leave = bus.subscribe(heard.append)
    bus.subscribe(heard.append)
    bus.publish(ONE)
    leave()
    bus.publish(TWO)
    assert heard == [ONE, ONE, TWO]


def test_what_a_handler_publishes_comes_behind_the_notice_at_hand_for_everybody(bus: Bus) -> None:
    heard: list[Notice] = []
    bus.subscribe(lambda notice: bus.publish(TWO) if notice is ONE else None)
    bus.subscribe(heard.append)
    bus.publish(ONE)
    bus.publish(THREE)
    assert heard == [ONE, TWO, THREE]


def test_who_subscribes_while_a_notice_is_told_hears_the_next(bus: Bus) -> None:
    heard: list[Notice] = []

    def bring_another(notice: Notice) -> None:
        leave()
        bus.subscribe(heard.append)

    leave = bus.subscribe(bring_another)
    bus.publish(ONE)
    bus.publish(TWO)
    assert heard == [TWO]
