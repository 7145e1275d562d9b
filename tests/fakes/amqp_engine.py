"""A client over the engine, without sockets: what it says are performatives, what it hears are performatives too."""

from typing import TypeVar

from ironhub.wire.amqp.connection import ServerConnection
from ironhub.wire.amqp.encode import NULL
from ironhub.wire.amqp.events import Attached, Closed, Event
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import AMQP_FRAME, AMQP_HEADER, FrameBuffer, encode_frame
from ironhub.wire.amqp.incoming import IncomingLink
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.performatives import (
    Attach,
    Begin,
    Flow,
    Open,
    Performative,
    Transfer,
    decode_performative,
)
from ironhub.wire.amqp.termini import source, target

Kind = TypeVar("Kind")

LOTS = 0x7FFF_FFFF
MECHANISMS = ("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")


def frame(said: Performative, channel: int = 0) -> bytes:
    """One frame."""
    return encode_frame(AMQP_FRAME, channel, said.encode())


def attach_sender(name: str, handle: int, address: str | None = "/in", *, first: int = 0) -> Attach:
    """The client will send."""
    return Attach(name, handle, False, 2, 0, source("from"), target(address), initial_delivery_count=first)


def attach_receiver(name: str, handle: int, address: str | None = "/out", *, snd: int = 2, rcv: int = 0) -> Attach:
    """The client will receive."""
    return Attach(name, handle, True, snd, rcv, source(address), target("to"))


def message(
    delivery_id: int, payload: bytes, *, handle: int = 0, settled: bool = False, more: bool = False
) -> Transfer:
    """A message, or its first part."""
    return Transfer(handle, delivery_id, b"%d" % delivery_id, 0, settled, more, payload)


class EngineClient:
    """One connection; time stands at `now`."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.now = 0.0
        self.wire = ServerConnection(self.limits, self.now, MECHANISMS)
        self._frames = FrameBuffer(LOTS)

    @classmethod
    def opened(
        cls,
        limits: Limits | None = None,
        *,
        window: int = LOTS,
        max_frame: int = 65_536,
        identified: bool = True,
        idle: int = 0,
    ) -> "EngineClient":
        """A connection with a session on channel 0, whose answers were heard."""
        client = cls(limits)
        if identified:
            client.wire.identified()
        client.feed(AMQP_HEADER)
        client.say(Open("client", "hub.example", max_frame, 65_535, idle), Begin(ABSENT, 0, window, LOTS))
        client.wire.to_send()
        return client

    def feed(self, data: bytes) -> list[Event]:
        """Bytes come."""
        return self.wire.receive(data, self.now)

    def say(self, *said: Performative, channel: int = 0) -> list[Event]:
        """Frames come, all at once."""
        return self.feed(b"".join(frame(one, channel) for one in said))

    def heard(self, channel: int = 0) -> list[Performative]:
        """The performatives that the engine has sent since on this channel, and no other is expected."""
        self._frames.feed(self.wire.to_send())
        found = []
        while (taken := self._frames.take()) is not None:
            kind, number, body = taken
            assert (kind, number) == (AMQP_FRAME, channel)
            found.append(decode_performative(body))
        return found

    def hear(self, kind: type[Kind], channel: int = 0) -> Kind:
        """The one performative that the engine has sent since."""
        (found,) = self.heard(channel)
        assert isinstance(found, kind)
        return found

    def sender(self, handle: int = 0, *, credit: int = 100, max_message: int = 0, first: int = 0) -> IncomingLink:
        """A link on which the client sends, accepted; what the engine said was heard."""
        (event,) = self.say(attach_sender(f"in-{handle}", handle, first=first))
        assert isinstance(event, Attached)
        assert isinstance(event.link, IncomingLink)
        event.link.accept(credit, max_message)
        self.wire.to_send()
        return event.link

    def receiver(self, handle: int = 1, *, credit: int = 100, snd: int = 2, rcv: int = 0) -> OutgoingLink:
        """A link on which the client receives, accepted and with credit; what the engine said was heard."""
        (event,) = self.say(attach_receiver(f"out-{handle}", handle, snd=snd, rcv=rcv))
        assert isinstance(event, Attached)
        assert isinstance(event.link, OutgoingLink)
        event.link.accept()
        self.wire.to_send()
        if credit:
            self.say(self.credit(credit, handle))
        return event.link

    def credit(
        self,
        credit: int,
        handle: int = 1,
        *,
        count: int = 0,
        drain: bool = False,
        echo: bool = False,
        window: int = LOTS,
        seen: int = ABSENT,
    ) -> Flow:
        """The client's FLOW for a link on which it receives; `seen` is the transfer it expects next."""
        return Flow(seen, window, 0, LOTS, handle, count, credit, ABSENT, drain, echo, NULL)


def closed(events: list[Event]) -> Closed:
    """The end, which is the last event."""
    assert isinstance(events[-1], Closed)
    assert not any(isinstance(event, Closed) for event in events[:-1])
    return events[-1]
