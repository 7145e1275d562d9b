"""A client's session under any bytes, and together with the server's under any cuts."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt.client import Accepted, ClientEvent, ClientLimits, ClientSession, ClientState, Refused
from ironhub.wire.mqtt.events import Acknowledged, Closed
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import Connect, Publish
from ironhub.wire.mqtt.session import ServerSession

LIMITS = ClientLimits(receive_window=5, max_packet=500)
FROM_SERVERS = [
    raw.publish("a", b"x"),
    raw.publish("a", b"x", qos=1, packet_id=1),
    raw.publish("b", b"y" * 200, qos=1, packet_id=2),
    raw.suback(1, b"\x01"),
    raw.puback(1),
    raw.PINGRESP,
]


def run(pieces: list[bytes]) -> tuple[list[ClientEvent], ClientState, bytes]:
    """Feed a new session; returns all it says and sends."""
    session = ClientSession(Connect("d"), LIMITS, 0.0)
    session.to_send()
    events = [event for piece in pieces for event in session.receive(piece)]
    return events, session.state, session.to_send()


@settings(max_examples=200)
@given(data=st.binary(max_size=300), greeted=st.booleans())
def test_any_bytes_are_events_or_the_end(data: bytes, greeted: bool) -> None:
    events, state, _ = run([raw.CONNACK_ACCEPTED, data] if greeted else [data])
    ended = [event for event in events if isinstance(event, Closed | Refused)]
    assert (state is ClientState.CLOSED) == bool(ended)
    assert ended == events[-1:] or not ended


@settings(max_examples=200)
@given(
    parts=st.lists(st.sampled_from([*FROM_SERVERS, *raw.MALFORMED.values()]), max_size=6),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=6),
)
def test_how_the_stream_is_cut_never_changes_the_events(parts: list[bytes], cuts: list[int]) -> None:
    data = raw.CONNACK_ACCEPTED + b"".join(parts)
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    pieces = [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]
    assert run(pieces) == run([data])


@settings(max_examples=100)
@given(
    messages=st.lists(st.tuples(st.text("ab/", min_size=1, max_size=9), st.binary(max_size=40)), max_size=16),
    size=st.integers(1, 64),
)
def test_what_a_client_publishes_a_server_hears_and_acknowledges(messages: list[tuple[str, bytes]], size: int) -> None:
    client, server = ClientSession(Connect("d"), ClientLimits(), 0.0), ServerSession(SessionLimits(), 0.0)
    server.receive(client.to_send(), 0.0)
    server.accept(False, None, 0.0)
    assert client.receive(server.to_send()) == [Accepted(session_present=False)]
    sent = [client.publish(topic, body, 1, 1.0) for topic, body in messages]
    data, heard = client.to_send(), []
    for start in range(0, len(data), size):
        heard += server.receive(data[start : start + size], 1.0)
    assert [(event.topic, event.payload) for event in heard if isinstance(event, Publish)] == messages
    server.acknowledge_first(len(messages))
    assert client.receive(server.to_send()) == [Acknowledged(packet_id) for packet_id in sent]
