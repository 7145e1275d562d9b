"""A session under any order of packets, answers and time keeps its promises."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt.events import Acknowledged, Closed, Event
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import Connect, Disconnect, Publish
from ironhub.wire.mqtt.session import ServerSession
from ironhub.wire.mqtt.states import State

LIMITS = SessionLimits(send_window=3, receive_window=5, max_inbox=200, max_packet=500)
GOOD = [
    raw.publish("a", b"x"),
    raw.publish("a", b"x", qos=1, packet_id=1),
    raw.publish("b", b"y" * 200, qos=1, packet_id=2),
    raw.subscribe(3, ("a/#", 1)),
    raw.unsubscribe(4, "a/#"),
    raw.puback(1),
    raw.PINGREQ,
]


def run(pieces: list[bytes]) -> tuple[list[Event], State, bytes]:
    """Feed a session that accepts at once; returns all it says and sends."""
    session = ServerSession(LIMITS, 0.0)
    events: list[Event] = []
    for piece in pieces:
        todo = session.receive(piece, 1.0)
        while todo:
            event = todo.pop(0)
            events.append(event)
            if isinstance(event, Connect):
                todo[:0] = session.accept(False, None, 1.0)
    return events, session.state, session.to_send()


@settings(max_examples=200)
@given(
    parts=st.lists(st.sampled_from([*GOOD, *raw.MALFORMED.values(), raw.DISCONNECT, b"\x30"]), max_size=6),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=6),
)
def test_how_the_stream_is_cut_never_changes_the_events(parts: list[bytes], cuts: list[int]) -> None:
    # Small enough for the inbox, which bounds what may come at once before the verdict.
    data = (raw.connect("d") + b"".join(parts))[:200]
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    pieces = [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]
    assert run(pieces) == run([data])


@settings(max_examples=200)
@given(data=st.binary(max_size=300), greeted=st.booleans())
def test_any_bytes_are_events_or_the_end(data: bytes, greeted: bool) -> None:
    events, state, _ = run([raw.connect("d"), data] if greeted else [data])
    ended = [event for event in events if isinstance(event, Closed | Disconnect)]
    assert (state is State.CLOSED) == bool(ended)
    assert ended == events[-1:] or not ended


class AnyOrder(RuleBasedStateMachine):
    """One client and one owner that do what they may in any order, against the plainest model of what is owed."""

    @initialize()
    def begin(self) -> None:
        self.connect()

    def connect(self) -> None:
        """A new connection, accepted."""
        self.now = 0.0
        self.heard = 0.0
        self.session = ServerSession(LIMITS, self.now)
        self.owed: list[tuple[int, bool]] = []  # the client's publishes: id, and whether we acknowledged it
        self.in_flight: set[int] = set()  # ours
        self.session.receive(raw.connect("d", keep_alive=10), self.now)
        self.session.accept(False, None, self.now)
        assert self.session.to_send() == raw.CONNACK_ACCEPTED

    @property
    def open(self) -> bool:
        """Whether anything can still happen."""
        return self.session.state is State.OPEN

    def expect_acks(self) -> None:
        """Exactly the acknowledged publishes before the first one that is not are answered, in order."""
        expected = b""
        while self.owed and self.owed[0][1]:
            expected += raw.puback(self.owed.pop(0)[0])
        assert self.session.to_send() == expected

    @precondition(lambda self: not self.open)
    @rule()
    def client_comes_back(self) -> None:
        self.connect()

    @precondition(lambda self: self.open)
    @rule(packet_id=st.integers(1, 65_535))
    def client_publishes(self, packet_id: int) -> None:
        if packet_id not in {known for known, _ in self.owed}:
            (event,) = self.session.receive(raw.publish("a", b"x", qos=1, packet_id=packet_id), self.now)
            assert event == Publish("a", b"x", 1, packet_id)
            self.owed.append((packet_id, False))
            self.heard = self.now

    @precondition(lambda self: self.open and any(not done for _, done in self.owed))
    @rule(data=st.data())
    def owner_acknowledges_any(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from([index for index, (_, done) in enumerate(self.owed) if not done]))
        self.session.acknowledge(self.owed[index][0])
        self.owed[index] = (self.owed[index][0], True)
        self.expect_acks()

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def owner_acknowledges_the_oldest(self, data: st.DataObject) -> None:
        open_ones = [index for index, (_, done) in enumerate(self.owed) if not done]
        count = data.draw(st.integers(0, len(open_ones)))
        self.session.acknowledge_first(count)
        for index in open_ones[:count]:
            self.owed[index] = (self.owed[index][0], True)
        self.expect_acks()

    @precondition(lambda self: self.open and self.session.can_publish)
    @rule()
    def owner_publishes(self) -> None:
        packet_id = self.session.publish("b", b"y", 1)
        assert packet_id not in self.in_flight
        self.in_flight.add(packet_id)
        assert self.session.to_send() == raw.publish("b", b"y", qos=1, packet_id=packet_id)

    @precondition(lambda self: self.open)
    @rule(packet_id=st.integers(1, 20))
    def client_acknowledges(self, packet_id: int) -> None:
        known = packet_id in self.in_flight
        events = self.session.receive(raw.puback(packet_id), self.now)
        assert events == ([Acknowledged(packet_id)] if known else [])
        self.in_flight.discard(packet_id)
        self.heard = self.now

    @precondition(lambda self: self.open)
    @rule(seconds=st.floats(0.0, 20.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        full = not self.session.wants_input
        events = self.session.on_timeout(self.now)
        late = self.now >= self.heard + 15.0
        if late and full:
            self.heard = self.now
        assert bool(events) == (late and not full)

    @precondition(lambda self: self.open)
    @rule(bad=st.sampled_from(sorted(raw.MALFORMED)))
    def client_errs(self, bad: str) -> None:
        (event,) = self.session.receive(raw.MALFORMED[bad], self.now)
        assert isinstance(event, Closed)
        assert not self.open

    @invariant()
    def the_counts_are_true(self) -> None:
        if self.open:
            assert self.session.unacknowledged == len(self.owed)
            assert self.session.in_flight == len(self.in_flight) <= LIMITS.send_window
            assert self.session.wants_input == (len(self.owed) < LIMITS.receive_window)
            assert self.session.next_timeout == self.heard + 15.0
        else:
            assert self.session.next_timeout is None
            assert self.session.receive(raw.PINGREQ, self.now) == []


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=50, stateful_step_count=30)
