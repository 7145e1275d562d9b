"""The engine under any bytes, any cut and any order of frames: never an exception, never more than the bounds."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fakes.amqp_engine import LOTS, MECHANISMS, attach_receiver, attach_sender, frame, message

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
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import (
    AMQP_FRAME,
    AMQP_HEADER,
    EMPTY_FRAME,
    SASL_FRAME,
    SASL_HEADER,
    FrameBuffer,
    encode_frame,
)
from ironhub.wire.amqp.incoming import IncomingLink
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.outcomes import ACCEPTED, MODIFIED, RECEIVED, REJECTED, RELEASED, DeliveryState
from ironhub.wire.amqp.outgoing import OutgoingLink
from ironhub.wire.amqp.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Performative,
    Transfer,
    decode_performative,
)
from ironhub.wire.amqp.sasl import SaslInit as SaslInitFrame

LIMITS = Limits(
    max_message=300, max_unfinished=500, max_links=4, max_channels=3, max_handle=5, incoming_window=6, max_unsettled=3
)
GREETING = AMQP_HEADER + frame(Open("c", max_frame_size=512)) + frame(Begin(ABSENT, 0, 5, LOTS))
SASL_GREETING = SASL_HEADER + encode_frame(SASL_FRAME, 0, SaslInitFrame("PLAIN", b"x").encode()) + GREETING

ids = st.one_of(st.integers(0, 6), st.sampled_from([0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF]))
some_ids = st.one_of(st.just(ABSENT), ids)
handles = st.integers(0, 6)
flags = st.booleans()
errors = st.sampled_from([None, Error("vendor:x", "y")])
states = st.sampled_from(
    [
        None,
        DeliveryState(ACCEPTED),
        DeliveryState(REJECTED, Error("a:b")),
        DeliveryState(RELEASED),
        DeliveryState(MODIFIED),
        DeliveryState(RECEIVED),
    ]
)
bodies = st.integers(0, 400).map(bytes)

performatives: st.SearchStrategy[Performative] = st.one_of(
    st.builds(attach_sender, st.just("s"), handles, first=ids),
    st.builds(attach_receiver, st.just("r"), handles),
    st.builds(Flow, some_ids, ids, ids, ids, some_ids, some_ids, some_ids, some_ids, flags, flags),
    st.builds(
        Transfer, handles, some_ids, st.sampled_from([None, b"t"]), some_ids, flags, flags, bodies, aborted=flags
    ),
    st.builds(message, ids, bodies, handle=handles),
    st.builds(Disposition, flags, ids, some_ids, flags, states),
    st.builds(Detach, handles, flags, errors),
    st.builds(Begin, some_ids.map(lambda n: min(n, 7)), ids, ids, ids, ids),
    st.builds(End, errors),
    st.builds(Close, errors),
    st.builds(Open, st.just("again")),
)
frames = st.builds(frame, performatives, st.sampled_from([0, 0, 0, 0, 1, 2, 9]))
pieces = st.one_of(
    frames,
    frames,
    frames,
    st.binary(max_size=30),
    st.binary(max_size=60).map(lambda body: encode_frame(AMQP_FRAME, 0, body)),
    st.sampled_from([EMPTY_FRAME, AMQP_HEADER, SASL_HEADER]),
)


def answer(wire: ServerConnection, event: Event) -> None:
    """Do something with an event, whatever it is."""
    if isinstance(event, SaslInit):
        wire.sasl_outcome(True)
    elif isinstance(event, Attached):
        link = event.link
        if link.name == "s" and isinstance(link, IncomingLink):
            link.accept(2)
        elif isinstance(link, OutgoingLink):
            link.accept()
    elif isinstance(event, Delivered):
        event.link.settle(event.delivery.id, event.delivery.id, Outcome.ACCEPTED)
        event.link.grant(2)
    elif isinstance(event, Credited):
        if event.link.sendable:
            event.link.send(b"x" * 700, b"t", False)
        event.link.drained()


def told(event: Event) -> str:
    """An event as it is told apart."""
    return repr(event) + (event.delivery.payload.hex() if isinstance(event, Delivered) else "")


def run(parts: Sequence[bytes], *, react: bool) -> tuple[list[str], bytes]:
    """Feed a connection; returns its events and all it said."""
    wire = ServerConnection(LIMITS, 0.0, MECHANISMS)
    wire.identified()
    happened: list[Event] = []
    for part in parts:
        events = wire.receive(part, 1.0)
        while events:
            happened += events
            for event in events:
                if react or isinstance(event, SaslInit):
                    answer(wire, event)
            events = wire.receive(b"", 1.0)
    check(happened, wire)
    return [told(event) for event in happened], wire.to_send()


def check(happened: list[Event], wire: ServerConnection) -> None:
    """What holds whatever the peer does."""
    assert [isinstance(event, Closed) for event in happened[:-1]].count(True) == 0
    assert not happened or wire.closed == isinstance(happened[-1], Closed)
    attached = [event.link for event in happened if isinstance(event, Attached)]
    detached = [event.link for event in happened if isinstance(event, Detached)]
    assert len({id(link) for link in detached}) == len(detached)
    assert {id(link) for link in detached} <= {id(link) for link in attached}
    if wire.closed:
        assert len(detached) == len(attached)
        assert (wire._out.links, wire._out.terms, wire._out.unfinished) == (0, 0, 0)
    assert wire._out.unfinished <= LIMITS.max_unfinished
    assert sum(isinstance(event, Opened) for event in happened) <= 1


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(pieces, max_size=12), cuts=st.lists(st.integers(0, 1 << 16), max_size=8), sasl=st.booleans())
def test_how_the_stream_is_cut_never_changes_what_happens(parts: list[bytes], cuts: list[int], sasl: bool) -> None:
    data = (SASL_GREETING if sasl else GREETING) + b"".join(parts)
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    cut = [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]
    assert run(cut, react=False) == run([data], react=False)
    assert run([bytes((octet,)) for octet in data], react=False) == run([data], react=False)


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(pieces, max_size=20))
def test_any_frames_are_events_or_the_end_and_what_is_said_can_be_read(parts: list[bytes]) -> None:
    _, said = run([GREETING, *parts], react=True)
    buffer = FrameBuffer(1 << 20)
    buffer.feed(said)
    ended = False
    while (taken := buffer.take()) is not None:
        kind, _, body = taken
        if kind == AMQP_FRAME:
            assert not ended
            ended = isinstance(decode_performative(body), Close)
    assert buffer.pending == 0


@settings(max_examples=300)
@given(data=st.binary(max_size=300), greeting=st.sampled_from([b"", AMQP_HEADER, SASL_HEADER, GREETING, SASL_GREETING]))
def test_any_bytes_are_events_or_the_end(data: bytes, greeting: bytes) -> None:
    run([greeting, data], react=True)


class Sending(RuleBasedStateMachine):
    """A receiver's credit, window and verdicts in any order, against the plainest model of what it may get."""

    @initialize(window=st.integers(0, 4), max_frame=st.sampled_from([512, 4096]))
    def begin(self, window: int, max_frame: int) -> None:
        self.wire = ServerConnection(Limits(max_unsettled=4), 0.0, MECHANISMS)
        self.wire.identified()
        hello = frame(Open("c", max_frame_size=max_frame)) + frame(Begin(ABSENT, 0, window, LOTS))
        (_, event) = self.wire.receive(AMQP_HEADER + hello + frame(attach_receiver("r", 3)), 0.0)
        assert isinstance(event, Attached)
        assert isinstance(event.link, OutgoingLink)
        self.link = event.link
        self.link.accept()
        self.wire.to_send()
        self.frames = FrameBuffer(max_frame)
        self.window = window
        self.transfers = 0
        self.count = 0  # deliveries, as the receiver counts them
        self.credit = 0
        self.sent: list[bytes] = []
        self.part = b""
        self.got: list[bytes] = []
        self.unsettled: dict[int, bytes] = {}
        self.settled: list[bytes] = []

    def exchange(self) -> None:
        """The receiver reads what came, and finds its own bounds obeyed."""
        self.frames.feed(self.wire.to_send())
        while (taken := self.frames.take()) is not None:
            said = decode_performative(taken[2])
            if isinstance(said, Transfer):
                assert self.window > 0
                self.window -= 1
                self.transfers += 1
                self.part += said.payload
                if not said.more:
                    assert self.credit > 0
                    self.credit -= 1
                    self.count += 1
                    self.got.append(self.part)
                    self.part = b""
                    if not said.settled:
                        self.unsettled[said.delivery_id] = said.delivery_tag or b""
            elif isinstance(said, Flow) and said.handle != ABSENT:
                assert said.delivery_count >= self.count
                self.credit -= said.delivery_count - self.count
                self.count = said.delivery_count
                assert self.credit == said.link_credit

    @rule(credit=st.integers(0, 5), window=st.integers(0, 4), drain=st.booleans())
    def receiver_grants(self, credit: int, window: int, drain: bool) -> None:
        self.credit, self.window = credit, window
        self.wire.receive(frame(Flow(self.transfers, window, 0, LOTS, 3, self.count, credit, ABSENT, drain)), 1.0)
        self.exchange()

    @precondition(lambda self: self.link.sendable)
    @rule(size=st.integers(0, 2000), settled=st.booleans())
    def owner_sends(self, size: int, settled: bool) -> None:
        payload = bytes((len(self.sent) % 256,)) * size
        self.link.send(payload, b"%d" % len(self.sent), settled)
        self.sent.append(payload)
        self.exchange()

    @rule()
    def owner_has_no_more(self) -> None:
        self.link.drained()
        self.exchange()

    @precondition(lambda self: self.unsettled)
    @rule(data=st.data(), second=st.booleans())
    def receiver_settles(self, data: st.DataObject, second: bool) -> None:
        first = data.draw(st.sampled_from(sorted(self.unsettled)))
        last = first + data.draw(st.integers(0, 5))
        verdict = Disposition(True, first, last, not second, DeliveryState(ACCEPTED))
        events = self.wire.receive(frame(verdict), 1.0)
        meant = [number for number in self.unsettled if first <= number <= last]
        tags = sorted(event.tag for event in events if isinstance(event, Settled))
        waiting = [tag for tag in tags if tag not in {self.unsettled[number] for number in meant}]
        assert len(tags) - len(waiting) == len(meant)  # what waits for the window may be settled unseen
        for number in meant:
            del self.unsettled[number]
        self.exchange()

    @invariant()
    def what_was_sent_arrives_in_order(self) -> None:
        assert self.got == self.sent[: len(self.got)]
        assert not self.wire.closed
        if not self.link._channel.waiting:
            assert len(self.got) == len(self.sent)
            assert self.part == b""

    @invariant()
    def what_may_be_sent_is_what_was_granted(self) -> None:
        if self.link._channel.waiting:
            assert self.link.sendable == 0
        else:
            assert self.link.sendable == max(0, min(self.credit, self.window, 4 - self.link.unsettled))


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


class Receiving(RuleBasedStateMachine):
    """Two senders whose messages come in frames of any size, against the plainest model of what arrives."""

    @initialize()
    def begin(self) -> None:
        self.wire = ServerConnection(LIMITS, 0.0, MECHANISMS)
        self.wire.identified()
        events = self.wire.receive(
            GREETING + frame(attach_sender("a", 0, first=0xFFFF_FFFE)) + frame(attach_sender("b", 1)), 0.0
        )
        self.links: list[IncomingLink] = []
        for event in events:
            if isinstance(event, Attached) and isinstance(event.link, IncomingLink):
                self.links.append(event.link)
                event.link.accept(2)
        self.next_id = 0xFFFF_FFFD
        self.begun: list[tuple[int, bytes] | None] = [None, None]
        self.credit = [2, 2]
        self.window = LIMITS.incoming_window
        self.frames = FrameBuffer(1 << 16)
        self.hear()

    def hear(self) -> None:
        """Note the windows that are told."""
        self.frames.feed(self.wire.to_send())
        while (taken := self.frames.take()) is not None:
            if taken[0] == AMQP_FRAME and isinstance(said := decode_performative(taken[2]), Flow):
                self.window = said.incoming_window

    @rule(which=st.integers(0, 1), size=st.integers(0, 140), more=st.booleans(), repeat=st.booleans())
    def client_sends(self, which: int, size: int, more: bool, repeat: bool) -> None:
        begun = self.begun[which]
        if begun is None and self.credit[which] == 0:
            return
        payload = bytes((which + 1,)) * size
        whole = payload if begun is None else begun[1] + payload
        held = self.begun[1 - which]
        if len(whole) > LIMITS.max_message or (held and len(whole) + len(held[1]) > LIMITS.max_unfinished):
            return
        number = self.next_id if begun is None else begun[0]
        said = Transfer(which, number if begun is None or repeat else ABSENT, b"t", 0, False, more, payload)
        assert self.window > 0
        self.window -= 1
        events = self.wire.receive(frame(said), 1.0)
        if begun is None:
            self.next_id = (self.next_id + 1) & 0xFFFF_FFFF
            self.credit[which] -= 1
        self.begun[which] = (number, whole) if more else None
        if more:
            assert events == []
        else:
            (event,) = events
            assert isinstance(event, Delivered)
            assert event.link is self.links[which]
            assert (event.delivery.id, event.delivery.payload) == (number, whole)
        self.hear()

    @rule(which=st.integers(0, 1))
    def client_aborts(self, which: int) -> None:
        if self.begun[which] is not None:
            self.window -= 1
            assert self.wire.receive(frame(Transfer(which, aborted=True)), 1.0) == []
            self.begun[which] = None
            self.hear()

    @rule(which=st.integers(0, 1), credit=st.integers(0, 4))
    def owner_grants(self, which: int, credit: int) -> None:
        self.links[which].grant(credit)
        self.credit[which] = credit
        self.hear()

    @invariant()
    def the_counts_are_true(self) -> None:
        assert [link.credit for link in self.links] == self.credit
        assert self.wire._out.unfinished == sum(len(begun[1]) for begun in self.begun if begun is not None)
        assert not self.wire.closed
        assert self.window > 0


TestReceiving = Receiving.TestCase
TestReceiving.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_pieces_are_not_all_refused() -> None:
    """The strategies above would prove little if nothing of theirs ever got through."""
    said: list[Performative] = [
        attach_sender("s", 0),
        message(0, b"x"),
        attach_receiver("r", 1),
        Flow(0, 5, 0, 5, 1, 0, 3),
        Disposition(True, 0, 3, True, DeliveryState(ACCEPTED)),
        Detach(0, True),
        End(),
        Close(),
    ]
    assert isinstance(said[0], Attach)
    happened, _ = run([GREETING, *map(frame, said)], react=True)
    kinds = [one.split("(")[0] for one in happened]
    assert kinds == [
        "Opened",
        "Attached",
        "Delivered",
        "Attached",
        "Credited",
        "Settled",
        "Detached",
        "Detached",
        "Closed",
    ]
