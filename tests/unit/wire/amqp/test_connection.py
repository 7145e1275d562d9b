import pytest
from tests.fakes.amqp_engine import LOTS, MECHANISMS, EngineClient, attach_sender, closed, frame, message

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import (
    CONNECTION_FORCED,
    DECODE_ERROR,
    FRAMING_ERROR,
    ILLEGAL_STATE,
    INVALID_FIELD,
    NOT_ALLOWED,
    NOT_IMPLEMENTED,
    RESOURCE_LIMIT_EXCEEDED,
)
from ironhub.wire.amqp.connection import ServerConnection
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.events import Attached, Closed, Detached, Opened, SaslInit
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import AMQP_HEADER, EMPTY_FRAME, SASL_FRAME, SASL_HEADER, encode_frame
from ironhub.wire.amqp.limits import Limits
from ironhub.wire.amqp.performatives import Begin, Close, Detach, End, Flow, Open, Performative
from ironhub.wire.amqp.sasl import OUTCOME_AUTH, OUTCOME_OK, SaslMechanisms, SaslOutcome, SaslResponse
from ironhub.wire.amqp.sasl import SaslInit as SaslInitFrame
from ironhub.wire.amqp.violations import UsageError

HELLO = Open("client", "hub.example", properties=encode.map_([(encode.symbol("product"), encode.string("p"))]))
OUR_MECHANISMS = encode_frame(SASL_FRAME, 0, SaslMechanisms(MECHANISMS).encode())
INIT = encode_frame(SASL_FRAME, 0, SaslInitFrame("PLAIN", b"\0me\0secret", "hub").encode())


def in_sasl() -> EngineClient:
    client = EngineClient()
    assert client.feed(SASL_HEADER) == []
    assert client.wire.to_send() == SASL_HEADER + OUR_MECHANISMS
    return client


def refused(client: EngineClient, condition: str) -> None:
    """The engine has sent CLOSE with this condition."""
    assert client.wire.closed
    error = client.hear(Close).error
    assert error is not None
    assert error.condition == condition


def test_a_client_without_sasl_is_opened_at_once() -> None:
    client = EngineClient(Limits(container_id="us"))
    assert client.feed(AMQP_HEADER) == []
    assert client.wire.to_send() == AMQP_HEADER
    assert client.say(HELLO) == [Opened("client", "hub.example", {"product": "p"})]
    ours = client.hear(Open)
    assert (ours.container_id, ours.max_frame_size, ours.channel_max) == ("us", 65_536, 255)
    assert ours.idle_time_out == 240_000
    wire = client.wire
    assert (wire.peer_container, wire.peer_hostname, wire.peer_properties) == (
        "client",
        "hub.example",
        {"product": "p"},
    )


def test_sasl_comes_before_the_connection_when_the_client_asks_for_it() -> None:
    client = in_sasl()
    assert client.feed(INIT) == [SaslInit("PLAIN", b"\0me\0secret", "hub")]
    client.wire.sasl_outcome(True)
    assert client.wire.to_send() == encode_frame(SASL_FRAME, 0, SaslOutcome(OUTCOME_OK).encode())
    assert client.feed(AMQP_HEADER + frame(HELLO)) == [Opened("client", "hub.example", {"product": "p"})]
    assert client.wire.to_send().startswith(AMQP_HEADER)


def test_what_comes_before_the_verdict_waits_for_it() -> None:
    client = in_sasl()
    assert len(client.feed(INIT + AMQP_HEADER + frame(HELLO))) == 1
    assert client.feed(frame(Begin(ABSENT, 0, 1, 1))) == []
    assert client.wire.to_send() == b""
    client.wire.sasl_outcome(True)
    (event,) = client.feed(b"")
    assert isinstance(event, Opened)
    assert client.wire._sessions


def test_little_can_wait_for_the_verdict() -> None:
    client = in_sasl()
    assert len(client.feed(INIT + b"x" * 16_384)) == 1
    end = closed(client.feed(b"x"))
    assert end.error is not None
    assert end.error.condition == RESOURCE_LIMIT_EXCEEDED
    assert client.wire._frames.pending == 0


def test_a_refused_client_hears_it_and_no_more() -> None:
    client = in_sasl()
    client.feed(INIT)
    client.wire.sasl_outcome(False)
    assert client.wire.to_send() == encode_frame(SASL_FRAME, 0, SaslOutcome(OUTCOME_AUTH).encode())
    assert client.wire.closed
    client.wire.sasl_outcome(True)
    assert client.feed(AMQP_HEADER) == []
    assert client.wire.to_send() == b""


def test_a_verdict_on_nothing_is_our_own_mistake() -> None:
    with pytest.raises(UsageError):
        EngineClient().wire.sasl_outcome(True)


@pytest.mark.parametrize(
    "strange",
    [
        b"GET / HTTP/1.1\r\n",
        b"AMQP\x02\x01\x00\x00",
        b"AMQP\x00\x00\x09\x01",
        frame(HELLO),
        encode_frame(0, 0, SASL_HEADER),
    ],
)
def test_what_is_not_amqp_is_told_what_is_and_sent_away(strange: bytes) -> None:
    """[2.2]"""
    client = EngineClient()
    end = closed(client.feed(strange))
    assert end.error is not None
    assert end.error.condition == FRAMING_ERROR
    assert client.wire.to_send() == SASL_HEADER
    assert client.wire.closed
    assert client.feed(AMQP_HEADER) == []


def test_without_mechanisms_there_is_no_sasl() -> None:
    wire = ServerConnection(Limits(), 0.0, ())
    closed(wire.receive(SASL_HEADER, 0.0))
    assert wire.to_send() == AMQP_HEADER


@pytest.mark.parametrize(
    "wrong",
    [
        SASL_HEADER,
        AMQP_HEADER,
        EMPTY_FRAME,
        frame(HELLO),
        encode_frame(SASL_FRAME, 0, SaslResponse(b"x").encode()),
        encode_frame(SASL_FRAME, 0, b"\x40"),
    ],
)
def test_the_security_layer_begins_with_an_init(wrong: bytes) -> None:
    client = in_sasl()
    closed(client.feed(wrong))
    assert client.wire.closed
    assert client.wire.to_send() == b""


@pytest.mark.parametrize("wrong", [SASL_HEADER, INIT, frame(HELLO)])
def test_after_the_security_layer_comes_amqp_and_nothing_else(wrong: bytes) -> None:
    client = in_sasl()
    client.feed(INIT)
    client.wire.sasl_outcome(True)
    client.wire.to_send()
    closed(client.feed(wrong))
    assert client.wire.to_send() == AMQP_HEADER


@pytest.mark.parametrize(
    ("wrong", "condition"),
    [
        (frame(Begin(ABSENT, 0, 1, 1)), ILLEGAL_STATE),
        (SASL_HEADER, FRAMING_ERROR),
        (frame(Open("c", max_frame_size=511)), INVALID_FIELD),
        (frame(Open("c", idle_time_out=999)), INVALID_FIELD),
        (encode_frame(0, 0, b"\x40"), DECODE_ERROR),
    ],
)
def test_who_is_closed_before_open_hears_an_open_all_the_same(wrong: bytes, condition: str) -> None:
    """[2.4.3]"""
    client = EngineClient()
    client.feed(AMQP_HEADER)
    client.wire.to_send()
    closed(client.feed(EMPTY_FRAME + wrong))
    ours, close = client.heard()
    assert isinstance(ours, Open)
    assert isinstance(close, Close)
    assert close.error is not None
    assert close.error.condition == condition


@pytest.mark.parametrize(
    ("wrong", "condition"),
    [
        (AMQP_HEADER, FRAMING_ERROR),
        (SASL_HEADER, FRAMING_ERROR),
        (INIT, FRAMING_ERROR),
        (b"\x00\x00\x00\x07\x02\x00\x00\x00", FRAMING_ERROR),
        (b"\x00\x00\x00\x08\x01\x00\x00\x00", FRAMING_ERROR),
        (b"\x00\x01\x00\x01\x02\x00\x00\x00", FRAMING_ERROR),
        (frame(HELLO), ILLEGAL_STATE),
        (frame(Begin(ABSENT, 0, 1, 1)), ILLEGAL_STATE),
        (frame(Begin(0, 0, 1, 1), 1), NOT_ALLOWED),
        (frame(Begin(ABSENT, 0, 1, 1), 256), FRAMING_ERROR),
        (frame(End(), 1), NOT_ALLOWED),
        (frame(message(0, b""), 5), NOT_ALLOWED),
        (encode_frame(0, 0, b"\x00\x53\x99\x45"), NOT_IMPLEMENTED),
        (encode_frame(0, 0, b"\x00\x53\x14\xc0\xff"), DECODE_ERROR),
        (encode_frame(0, 0, b"\x00" * 500), DECODE_ERROR),
    ],
)
def test_whatever_breaks_the_connections_rules_ends_it_with_its_reason(wrong: bytes, condition: str) -> None:
    client = EngineClient.opened()
    link = client.sender()
    events = client.feed(wrong + frame(attach_sender("never", 5)))
    end = closed(events)
    assert events == [Detached(link, end.error), end]
    assert end.error is not None
    assert end.error.condition == condition
    assert end.reason == end.error.description
    refused(client, condition)


def test_what_came_whole_before_a_violation_stands() -> None:
    client = EngineClient.opened()
    attached, detached, end = client.feed(frame(attach_sender("a", 0)) + SASL_HEADER)
    assert isinstance(attached, Attached)
    assert isinstance(detached, Detached)
    assert isinstance(end, Closed)


def test_a_close_is_answered_and_ends_all_sessions() -> None:
    client = EngineClient.opened()
    client.say(Begin(ABSENT, 0, LOTS, LOTS), channel=7)
    link = client.sender()
    (event,) = client.say(attach_sender("a", 0), channel=7)
    assert isinstance(event, Attached)
    client.wire.to_send()
    why = Error(CONNECTION_FORCED, "going")
    assert client.say(Close(why)) == [
        Detached(link, why),
        Detached(event.link, why),
        Closed("amqp:connection:forced going", why),
    ]
    assert client.hear(Close).error is None
    assert client.wire.closed


def test_an_orderly_close_has_no_error() -> None:
    assert EngineClient.opened().say(Close()) == [Closed("the peer closed", None)]


def test_our_own_close_is_said_once_and_ends_all_links() -> None:
    client = EngineClient.opened()
    link = client.sender()
    client.wire.close(Error(CONNECTION_FORCED, "maintenance"))
    client.wire.close()
    refused(client, CONNECTION_FORCED)
    assert link.detached
    assert client.say(Close()) == []
    assert not client.wire.on_timeout(1e9)
    assert client.wire.next_timeout is None


def test_our_own_close_before_any_header_says_nothing() -> None:
    client = EngineClient()
    client.wire.close()
    assert client.wire.to_send() == b""


def test_sessions_are_told_apart_by_channels_the_client_chooses() -> None:
    client = EngineClient.opened()
    client.say(Begin(ABSENT, 0, LOTS, LOTS), channel=200)
    assert client.hear(Begin, 200).remote_channel == 200
    client.say(End(), channel=200)
    assert isinstance(client.hear(End, 200), End)
    client.say(Begin(ABSENT, 0, LOTS, LOTS), channel=200)
    assert client.hear(Begin, 200).remote_channel == 200


@pytest.mark.parametrize("ours", [False, True])
def test_what_comes_after_the_end_of_a_session_is_ignored_until_another_begins(ours: bool) -> None:
    """Some clients detach links of a session that they have ended."""
    client = EngineClient.opened()
    client.sender()
    client.say(Detach(9, True) if ours else End())
    client.wire.to_send()
    if ours:
        client.say(End())
    assert client.say(Detach(0, True), message(0, b""), attach_sender("late", 3), End()) == []
    assert client.heard() == []
    client.say(Begin(ABSENT, 0, LOTS, LOTS))
    assert client.hear(Begin).remote_channel == 0
    client.say(Detach(0, True))
    assert isinstance(client.hear(End), End)
    closed(client.say(End(), channel=1))


def test_a_connection_that_is_over_holds_nothing() -> None:
    client = EngineClient.opened()
    client.feed(frame(Close()) + b"\x00" * 1000)
    assert client.wire._frames.pending == 0


def test_a_stranger_has_few_sessions() -> None:
    client = EngineClient.opened(Limits(max_stranger_channels=2), identified=False)
    assert client.say(Begin(ABSENT, 0, 1, 1), channel=1) == []
    closed(client.say(Begin(ABSENT, 0, 1, 1), channel=2))


def test_a_stranger_has_few_links_and_a_guest_more() -> None:
    for identified in (False, True):
        client = EngineClient.opened(Limits(max_stranger_links=1), identified=identified)
        client.sender(0)
        events = client.say(attach_sender("second", 1))
        assert isinstance(events[0], Attached)
        assert client.wire.closed is not identified
        if not identified:
            error = closed(events).error
            assert error is not None
            assert error.condition == RESOURCE_LIMIT_EXCEEDED


def test_a_stranger_sends_small_frames_and_a_guest_large_ones() -> None:
    large = frame(message(0, b"x" * 20_000, handle=0))
    client = EngineClient.opened(identified=False)
    client.sender()
    closed(client.feed(large))
    refused(client, FRAMING_ERROR)
    client = EngineClient.opened(identified=True)
    client.sender()
    assert len(client.feed(large)) == 1


def test_what_links_say_of_themselves_is_bounded() -> None:
    client = EngineClient.opened(Limits(max_terms=10_000))
    client.sender(0)
    long = attach_sender("a" * 4000, 1)
    client.say(long, Detach(1, True))
    assert not client.wire.closed  # it is given back
    client.say(long)
    closed(client.say(attach_sender("b" * 4000, 2)))
    assert client.wire.closed


def test_a_client_that_is_silent_for_too_long_is_closed() -> None:
    client = EngineClient.opened(Limits(idle_timeout=60.0))
    link = client.sender()
    assert client.wire.next_timeout == 60.0
    client.now = 50.0
    client.feed(EMPTY_FRAME)
    assert client.wire.next_timeout == 110.0
    assert not client.wire.on_timeout(109.9)
    assert client.heard() == []
    assert client.wire.on_timeout(110.0)
    refused(client, RESOURCE_LIMIT_EXCEEDED)
    assert link.detached


def test_bytes_that_drip_in_keep_no_connection_open() -> None:
    client = EngineClient.opened(Limits(idle_timeout=60.0))
    for number in range(5):
        client.now = 50.0 + number
        client.feed(b"\x00")
    assert client.wire.on_timeout(60.0)


def test_before_open_how_long_to_wait_is_the_owners_to_say() -> None:
    client = EngineClient()
    assert client.wire.next_timeout is None
    assert not client.wire.on_timeout(1e9)


def test_without_idle_times_there_is_nothing_to_wait_for() -> None:
    client = EngineClient.opened(Limits(idle_timeout=0.0))
    assert client.wire.next_timeout is None


def test_the_peers_idle_time_is_obeyed_by_empty_frames_while_nothing_else_goes() -> None:
    client = EngineClient.opened(Limits(idle_timeout=0.0), idle=60_000)
    assert client.wire.next_timeout == 15.0
    assert not client.wire.on_timeout(15.0)
    assert client.wire.to_send() == b""  # OPEN went not long ago
    assert not client.wire.on_timeout(30.0)
    assert client.wire.to_send() == EMPTY_FRAME
    client.say(Flow(1, 1, 1, 1, echo=True))
    client.wire.to_send()
    for look in (45.0, 60.0):
        assert not client.wire.on_timeout(look)
        assert client.wire.to_send() == (b"" if look == 45.0 else EMPTY_FRAME)


@pytest.mark.parametrize("said", [Begin(ABSENT, 0, LOTS, LOTS), Flow(1, 1, 1, 1)])
def test_a_session_we_ended_is_not_begun_anew_before_the_peers_end(said: Performative) -> None:
    client = EngineClient.opened()
    client.say(Detach(9, True))
    client.wire.to_send()
    client.say(said)
    assert client.wire.closed is isinstance(said, Begin)
