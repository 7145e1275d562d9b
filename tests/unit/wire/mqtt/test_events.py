from typing import get_args

from ironhub.wire.mqtt.events import Acknowledged, Closed, Event
from ironhub.wire.mqtt.packets import Connect, Disconnect, Publish, Subscribe, Unsubscribe


def test_these_are_all_events_there_are() -> None:
    assert set(get_args(Event)) == {Connect, Publish, Subscribe, Unsubscribe, Acknowledged, Disconnect, Closed}


def test_events_are_values() -> None:
    assert Acknowledged(1) == Acknowledged(1, 0)
    assert Closed("why", 0x81) == Closed("why", 0x81)
    assert len({Acknowledged(1), Acknowledged(1), Acknowledged(2)}) == 2
