"""Qpid Proton as the client of our engine: another reading of the same standard, bytes handed from one to the other."""

from collections.abc import Callable

import proton
import pytest

from ironhub.wire.amqp.conditions import MESSAGE_SIZE_EXCEEDED, NOT_FOUND
from ironhub.wire.amqp.connection import ServerConnection
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.events import (
    Attached,
    Closed,
    Credited,
    Delivered,
    Detached,
    Event,
    Opened,
    Outcome,
    SaslInit,
    Settled,
)
from ironhub.wire.amqp.incoming import IncomingLink
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.outgoing import OutgoingLink

CREDIT = 50
SIZES = [0, 1, 100, 65_536, 300_000]


class ProtonClient:
    """A Proton connection and an engine that accepts all it is asked for; `pump` lets them talk until all is said."""

    def __init__(
        self,
        *,
        sasl: str = "",
        password: str = "secret",
        max_frame: int = 0,
        limits: Limits | None = None,
        step: int = 1 << 16,
    ) -> None:
        self.step = step
        """Bytes that go at a time."""
        self.limits = limits or Limits()
        self.wire = ServerConnection(self.limits, 0.0, ("PLAIN", "ANONYMOUS"))
        self.wire.identified()
        self._unread = b""
        self.refuse: Callable[[IncomingLink | OutgoingLink], bool] = lambda link: False
        self.connection = proton.Connection()
        self.connection.container = "proton"
        self.connection.hostname = "hub.example"
        self.transport = proton.Transport()
        if max_frame:
            self.transport.max_frame_size = max_frame
        if sasl:
            self.connection.user, self.connection.password = "me", password
            layer = self.transport.sasl()
            layer.allow_insecure_mechs = True
            layer.allowed_mechs(sasl)
        self.transport.bind(self.connection)
        self.connection.open()
        self.session = self.connection.session()
        self.session.open()

    def pump(self) -> list[Event]:
        """Returns what happened at our side."""
        happened: list[Event] = []
        while self._up(happened) + self._down():
            pass
        return happened

    def sender(self, name: str = "in") -> tuple[proton.Sender, IncomingLink]:
        link = self.session.sender(name)
        link.source.address, link.target.address = "from", "/in"
        link.open()
        (event,) = [event for event in self.pump() if isinstance(event, Attached)]
        assert isinstance(event.link, IncomingLink)
        return link, event.link

    def receiver(self, name: str = "out", credit: int = CREDIT) -> tuple[proton.Receiver, OutgoingLink]:
        link = self.session.receiver(name)
        link.source.address, link.target.address = "/out", "to"
        link.open()
        link.flow(credit)
        (event,) = [event for event in self.pump() if isinstance(event, Attached)]
        assert isinstance(event.link, OutgoingLink)
        return link, event.link

    def _up(self, happened: list[Event]) -> bool:
        pending = self.transport.pending()
        if pending <= 0:
            return False
        data = bytes(self.transport.peek(min(pending, self.step)) or b"")
        self.transport.pop(len(data))
        todo = self.wire.receive(data, 0.0)
        while todo:
            event = todo.pop(0)
            happened.append(event)
            todo += self._answer(event)
        return True

    def _down(self) -> bool:
        self._unread += self.wire.to_send()
        data = self._unread[: min(self.step, self.transport.capacity())]
        if data:
            self.transport.push(data)
        self._unread = self._unread[len(data) :]
        return bool(data)

    def _answer(self, event: Event) -> list[Event]:
        if isinstance(event, SaslInit):
            self.wire.sasl_outcome(event.mechanism == "ANONYMOUS" or event.response == b"\0me\0secret")
            return self.wire.receive(b"", 0.0)
        if isinstance(event, Attached):
            if self.refuse(event.link):
                event.link.refuse(Error(NOT_FOUND, "no such node"))
            elif isinstance(event.link, IncomingLink):
                event.link.accept(CREDIT)
            else:
                event.link.accept()
        return []


def read(receiver: proton.Receiver) -> tuple[bytes, proton.Delivery]:
    """The receiver's current message, whole."""
    delivery = receiver.current
    assert delivery is not None
    assert not delivery.partial
    data = bytes(receiver.recv(delivery.pending) or b"")
    receiver.advance()
    return data, delivery


@pytest.mark.parametrize("sasl", ["", "ANONYMOUS", "PLAIN"])
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_it_connects_with_and_without_a_security_layer(sasl: str, step: int) -> None:
    client = ProtonClient(sasl=sasl, step=step)
    happened = client.pump()
    assert [type(event) for event in happened] == ([SaslInit, Opened] if sasl else [Opened])
    assert client.connection.state & proton.Endpoint.REMOTE_ACTIVE
    assert client.connection.remote_container == "ironhub"
    assert client.session.state & proton.Endpoint.REMOTE_ACTIVE
    client.connection.close()
    assert client.pump() == [Closed("the peer closed", None)]
    assert client.connection.state & proton.Endpoint.REMOTE_CLOSED
    assert client.transport.condition is None


def test_a_wrong_password_is_told() -> None:
    client = ProtonClient(sasl="PLAIN", password="wrong")
    client.pump()
    assert client.wire.closed
    assert client.transport.sasl().outcome == proton.SASL.AUTH


@pytest.mark.parametrize("max_frame", [0, 512, 4096])
def test_it_sends_messages_of_any_size_and_hears_every_verdict(max_frame: int) -> None:
    client = ProtonClient(max_frame=max_frame)
    sender, link = client.sender()
    sent = []
    for number, size in enumerate(SIZES):
        sent.append(sender.delivery(str(number)))
        sender.send(bytes(size))
        sender.advance()
    arrived = [event.delivery for event in client.pump() if isinstance(event, Delivered)]
    assert [len(delivery.payload) for delivery in arrived] == SIZES
    assert [delivery.tag for delivery in arrived] == [b"%d" % number for number in range(len(SIZES))]
    assert (link.credit, sender.credit) == (CREDIT - len(SIZES), CREDIT - len(SIZES))
    link.settle(arrived[0].id, arrived[1].id, Outcome.ACCEPTED)
    link.settle(arrived[2].id, arrived[2].id, Outcome.REJECTED, Error(NOT_FOUND, "who?"))
    link.settle(arrived[3].id, arrived[3].id, Outcome.RELEASED)
    link.settle(arrived[4].id, arrived[4].id, Outcome.MODIFIED)
    client.pump()
    states = [proton.Delivery.ACCEPTED] * 2 + [
        proton.Delivery.REJECTED,
        proton.Delivery.RELEASED,
        proton.Delivery.MODIFIED,
    ]
    assert [delivery.remote_state for delivery in sent] == states
    assert all(delivery.settled for delivery in sent)
    assert sent[2].remote.condition is not None
    assert (sent[2].remote.condition.name, sent[2].remote.condition.description) == (NOT_FOUND, "who?")
    link.grant(CREDIT)
    client.pump()
    assert sender.credit == CREDIT


def test_thousands_of_messages_pass_through_the_window() -> None:
    client = ProtonClient(limits=Limits(incoming_window=7))
    sender, link = client.sender()
    for round_ in range(40):
        for number in range(CREDIT):
            delivery = sender.delivery(f"{round_}-{number}")
            sender.send(b"x" * 100)
            delivery.settle()
        events = client.pump()
        assert len(events) == CREDIT
        assert all(isinstance(event, Delivered) and event.delivery.settled for event in events)
        link.grant(CREDIT)
        client.pump()
    assert not client.wire.closed


def test_an_aborted_message_is_none() -> None:
    client = ProtonClient(max_frame=512)
    sender, _ = client.sender()
    delivery = sender.delivery("1")
    sender.send(b"x" * 2000)
    assert not any(isinstance(event, Delivered) for event in client.pump())
    delivery.abort()
    assert not any(isinstance(event, Delivered) for event in client.pump())
    sender.delivery("2")
    sender.send(b"next")
    sender.advance()
    (event,) = client.pump()
    assert isinstance(event, Delivered)
    assert event.delivery.payload == b"next"


def test_a_message_that_is_too_large_costs_the_link_and_nothing_else() -> None:
    client = ProtonClient(limits=Limits(max_message=1000))
    sender, _ = client.sender()
    assert sender.remote_max_message_size == 1000
    sender.delivery("1")
    sender.send(b"x" * 1001)
    sender.advance()
    (event,) = client.pump()
    assert isinstance(event, Detached)
    assert sender.state & proton.Endpoint.REMOTE_CLOSED
    assert sender.remote_condition is not None
    assert sender.remote_condition.name == MESSAGE_SIZE_EXCEEDED
    sender.close()
    assert client.pump() == []
    client.sender("another")
    assert client.transport.condition is None


@pytest.mark.parametrize("max_frame", [0, 512, 4096])
@pytest.mark.parametrize("settled", [False, True])
def test_it_receives_messages_of_any_size(max_frame: int, settled: bool) -> None:
    client = ProtonClient(max_frame=max_frame)
    receiver, link = client.receiver()
    for number, size in enumerate(SIZES):
        link.send(bytes(size), b"%d" % number, settled)
    client.pump()
    got = []
    for _ in SIZES:
        data, delivery = read(receiver)
        got.append(len(data))
        assert delivery.settled is settled
        delivery.update(proton.Delivery.ACCEPTED)
        delivery.settle()
    assert got == SIZES
    verdicts = [event for event in client.pump() if isinstance(event, Settled)]
    tags = [] if settled else [b"%d" % number for number in range(len(SIZES))]
    assert [(verdict.tag, verdict.outcome) for verdict in verdicts] == [(tag, Outcome.ACCEPTED) for tag in tags]
    assert link.unsettled == 0


def test_each_verdict_of_a_receiver_is_told_and_who_waits_for_ours_gets_it() -> None:
    client = ProtonClient()
    receiver, link = client.receiver()
    for tag in (b"1", b"2", b"3", b"4"):
        link.send(b"x", tag, False)
    client.pump()
    deliveries = [read(receiver)[1] for _ in range(4)]
    deliveries[0].update(proton.Delivery.ACCEPTED)
    deliveries[1].local.condition = proton.Condition("vendor:no", "because")
    deliveries[1].update(proton.Delivery.REJECTED)
    deliveries[2].update(proton.Delivery.RELEASED)
    deliveries[3].local.failed = True
    deliveries[3].update(proton.Delivery.MODIFIED)
    verdicts = sorted((event for event in client.pump() if isinstance(event, Settled)), key=lambda event: event.tag)
    assert [(verdict.tag, verdict.outcome) for verdict in verdicts] == [
        (b"1", Outcome.ACCEPTED),
        (b"2", Outcome.REJECTED),
        (b"3", Outcome.RELEASED),
        (b"4", Outcome.MODIFIED),
    ]
    assert verdicts[1].error == Error("vendor:no", "because")
    assert verdicts[3].delivery_failed
    assert all(delivery.settled for delivery in deliveries)
    for delivery in deliveries:
        delivery.settle()
    assert client.pump() == []


def test_it_gets_no_more_than_it_has_credit_for_and_its_credit_back_when_it_drains() -> None:
    client = ProtonClient()
    receiver, link = client.receiver(credit=3)
    assert link.sendable == 3
    link.send_settled([b"1", b"2"])
    client.pump()
    receiver.drain(0)
    (event,) = client.pump()
    assert event == Credited(link)
    assert link.drain
    link.drained()
    client.pump()
    assert (receiver.credit, link.sendable) == (2, 0)  # two wait to be read
    read(receiver)
    read(receiver)
    assert receiver.credit == 0
    receiver.drain_mode = False
    receiver.flow(5)
    client.pump()
    assert link.sendable == 5


def test_its_window_holds_large_messages_back_and_no_frame_is_lost() -> None:
    client = ProtonClient(max_frame=512)
    client.session.incoming_capacity = 2048
    client.session.close()
    client.session = client.connection.session()
    client.session.incoming_capacity = 2048
    client.session.open()
    receiver, link = client.receiver()
    payload = bytes(range(256)) * 100
    link.send(payload, b"t", True)
    assert link.sendable == 0
    got = b""
    while len(got) < len(payload):
        client.pump()
        assert receiver.current is not None
        got += bytes(receiver.recv(10_000) or b"")
    assert got == payload
    client.pump()
    assert client.transport.condition is None


def test_a_refused_link_is_one_that_closes_with_its_reason() -> None:
    client = ProtonClient()
    client.refuse = lambda link: link.name == "bad"
    bad, _ = client.sender("bad")
    assert bad.remote_target.address is None
    assert bad.state & proton.Endpoint.REMOTE_CLOSED
    assert bad.remote_condition is not None
    assert (bad.remote_condition.name, bad.remote_condition.description) == (NOT_FOUND, "no such node")
    good, _ = client.receiver("good")
    assert good.remote_source.address == "/out"
    assert good.state & proton.Endpoint.REMOTE_ACTIVE


@pytest.mark.parametrize("closed", [False, True])
def test_links_and_sessions_come_and_go(closed: bool) -> None:
    client = ProtonClient()
    for number in range(5):
        sender, incoming = client.sender(f"in-{number}")
        receiver, outgoing = client.receiver(f"out-{number}")
        for link in (sender, receiver):
            if closed:
                link.close()
            else:
                link.detach()
        assert client.pump() == [Detached(incoming, None), Detached(outgoing, None)]
        for link in (sender, receiver):
            link.free()
    _, incoming = client.sender("last")
    client.session.close()
    assert client.pump() == [Detached(incoming, None)]
    assert client.session.state & proton.Endpoint.REMOTE_CLOSED
    client.session = client.connection.session()
    client.session.open()
    client.sender("anew")
    assert client.transport.condition is None
    assert not client.wire.closed


def test_several_sessions_live_beside_each_other() -> None:
    client = ProtonClient()
    sessions = [client.connection.session() for _ in range(20)]
    links = []
    for number, session in enumerate(sessions):
        session.open()
        client.session = session
        links.append(client.sender(f"in-{number}"))
    for sender, link in links:
        sender.delivery("1")
        sender.send(b"x")
        sender.advance()
        (event,) = client.pump()
        assert isinstance(event, Delivered)
        assert event.link is link
        assert event.delivery.id == 0
    assert {link.session_channel for _, link in links} == set(range(1, 21))


def test_our_end_of_the_connection_is_read_with_its_reason() -> None:
    client = ProtonClient()
    client.pump()
    client.wire.close(Error("vendor:gone", "for good"))
    client.pump()
    assert client.connection.remote_condition is not None
    assert (client.connection.remote_condition.name, client.connection.remote_condition.description) == (
        "vendor:gone",
        "for good",
    )


def test_its_idle_time_is_obeyed_and_ours_is_read() -> None:
    client = ProtonClient(limits=Limits(idle_timeout=120.0))
    client.transport.idle_timeout = 60.0
    client.pump()
    assert client.transport.remote_idle_timeout == 120.0
    assert client.wire.next_timeout is not None
    assert client.wire.next_timeout <= 15.0
    client.wire.on_timeout(15.0)
    client.wire.on_timeout(30.0)
    client.pump()
    assert client.transport.frames_input >= 3
    assert client.transport.condition is None
