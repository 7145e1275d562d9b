"""WebSockets that are none: handshakes, frames and closes that no client sends, and upgrades that hide a stranger."""

import socket
import time
from contextlib import suppress
from typing import Final

import pytest
from tests.fakes.bystander import STRANGER_TIMEOUT, Bystander, Watch, new_device
from tests.fakes.mqtt_packets import PINGREQ, publish
from tests.fakes.raw_device import (
    MARK,
    PATIENCE,
    RESET,
    HttpAnswer,
    RawDevice,
    TlsStream,
    WebSocketStream,
    ask,
    connect_packet,
    dial,
    events_topic,
    frame,
    http_request,
    online,
    policy_token,
    read_answer,
    upgrade,
)
from tests.fakes.running_hub import RunningHub

BINARY, TEXT, CONTINUATION, CLOSE, PING = 2, 1, 0, 8, 9


def handshake(hub: RunningHub, request: bytes) -> HttpAnswer | None:
    """Send an upgrade and return the answer; a peer that is let in is cut."""
    return ask(hub.address, hub.ready["https"], request, 8)


def test_handshakes_that_are_none_are_refused(hub: RunningHub) -> None:
    address = hub.address
    good = upgrade(address)
    wrong = {
        "another subprotocol": upgrade(address, protocol="amqp"),
        "no subprotocol": upgrade(address, protocol=None),
        "an empty one": upgrade(address, protocol=","),
        "one that begins like it": upgrade(address, protocol="mqttx"),
        "a version that there is not": upgrade(address, Sec_WebSocket_Version="8"),
        "no version": upgrade(address, Sec_WebSocket_Version=""),
        "no key": upgrade(address, Sec_WebSocket_Key=""),
        "a short key": upgrade(address, Sec_WebSocket_Key="eA=="),
        "a key that is no base64": upgrade(address, Sec_WebSocket_Key="!" * 24),
        "no connection header": upgrade(address, Connection=""),
        "another path": upgrade(address, path="/"),
        "another method": good.replace(b"GET", b"POST"),
        "HTTP/1.0": good.replace(b"HTTP/1.1", b"HTTP/1.0"),
    }
    for name, request in wrong.items():
        answer = handshake(hub, request)
        assert answer is None or 400 <= answer.status < 500, name
    for offer in ("amqp, mqtt", "MQTT"):
        answer = handshake(hub, upgrade(address, protocol=offer))
        assert answer is not None
        assert answer.status == 101


def test_an_offer_to_compress_is_not_taken(hub: RunningHub) -> None:
    """A small frame cannot become a large one."""
    offer = "permessage-deflate; client_max_window_bits, permessage-deflate"
    answer = handshake(hub, upgrade(hub.address, Sec_WebSocket_Extensions=offer))
    assert answer is not None
    assert answer.status == 101
    assert "sec-websocket-extensions" not in answer.headers


def raw_frames(peer: RawDevice, data: bytes) -> None:
    """Send bytes past the framing."""
    assert isinstance(peer.stream, WebSocketStream)
    with suppress(*RESET):
        peer.stream.tls.send(data)


MALFORMED_FRAMES: Final[dict[str, bytes]] = {
    "data without a mask": frame(BINARY, PINGREQ, masked=False),
    "a ping without a mask": frame(PING, b"", masked=False),
    "text": frame(TEXT, b"hello"),
    "text that is no UTF-8": frame(TEXT, b"\xff"),
    "a length of 2 to the 63": frame(BINARY, b"x", length=2**63 - 1),
    "a length with its highest bit": frame(BINARY, b"x", length=2**63),
    "a length over the bound": frame(BINARY, b"x", length=524_289),
    "an opcode that there is not": frame(3, b"x"),
    "a control opcode that there is not": frame(11, b""),
    "a reserved bit": bytes([0xC2]) + frame(BINARY, b"x")[1:],
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "data inside data": frame(BINARY, b"\xc0", final=False) + frame(BINARY, b"\0"),
    "a ping in pieces": frame(PING, b"x", final=False),
    "a long ping": frame(PING, b"x" * 126),
    "a close of one byte": frame(CLOSE, b"\x03"),
    "a close with a code that there is not": frame(CLOSE, b"\x00\x01"),
    "a close whose reason is no UTF-8": frame(CLOSE, b"\x03\xe8\xff"),
    "a close and then data": frame(CLOSE, b"\x03\xe8") + frame(BINARY, PINGREQ) * 10,
    "two closes": frame(CLOSE, b"\x03\xe8") * 2,
    "a request of HTTP": upgrade("hub"),
    "noise": bytes(range(256)) * 4,
    "fragments without end": frame(BINARY, b"\x30\xff\xff\x0f", final=False)
    + frame(0, b"x" * 60_000, final=False) * 20,
    "a packet over the bound, in fragments": frame(BINARY, b"\x30\xff\xff\x7f", final=False)
    + frame(0, b"x" * 60_000, final=False) * 20,
}


@pytest.mark.parametrize("name", MALFORMED_FRAMES)
def test_a_malformed_frame_ends_the_connection(hub: RunningHub, name: str) -> None:
    device = new_device(hub)
    with dial(hub, "websocket") as stranger, online(hub, device, "websocket") as peer:
        for each in (stranger, peer):
            raw_frames(each, MALFORMED_FRAMES[name])
            assert each.is_closed(timeout=8)


def test_many_empty_fragments_cost_nothing(hub: RunningHub, watch: Watch) -> None:
    device = new_device(hub)
    packet = publish(events_topic(device), MARK, qos=1)
    with online(hub, device, "websocket") as peer:
        before = watch.memory()
        watch.forget_peak()
        empty = frame(CONTINUATION, b"", final=False) * 5000
        raw_frames(peer, frame(BINARY, packet[:9], final=False) + empty + frame(CONTINUATION, packet[9:]))
        assert peer.packet_of(4).packet_id == 1
        assert watch.peak_memory() - before < 24 << 20


def test_pings_whose_answers_are_not_read_end_the_connection(
    hub: RunningHub, bystander: Bystander, watch: Watch
) -> None:
    for stranger in (True, False):
        device = new_device(hub)
        level = watch.settled()
        peer = dial(hub, "websocket")
        assert isinstance(peer.stream, WebSocketStream)
        if not stranger:
            assert peer.connack(connect_packet(hub, device)) == 0
        tls = peer.stream.tls.socket
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        tls.settimeout(0.5)
        before = watch.memory()
        watch.forget_peak()
        deadline = time.monotonic() + 3
        with suppress(TimeoutError, *RESET):
            while time.monotonic() < deadline:
                tls.sendall(frame(PING, b"x" * 125) * 500)
        bystander.check()
        assert watch.peak_memory() - before < 32 << 20
        peer.close()
        watch.falls_back_to(level)


def test_an_upgrade_behind_a_good_request_hides_no_stranger(hub: RunningHub) -> None:
    """Who showed a back end's token and then becomes a WebSocket is a stranger again: CONNECT has its own time."""
    stream = TlsStream(hub.address, hub.ready["https"])
    token = policy_token(hub, "registryRead")
    stream.send(http_request("GET", "/devices?api-version=2021-04-12&top=1", host="h", token=token))
    answer = read_answer(stream)
    assert answer is not None
    assert answer.status == 200
    stream.send(upgrade(hub.address))
    after = read_answer(stream)
    if after is None or after.status != 101:
        stream.close()
        return
    deadline = time.monotonic() + STRANGER_TIMEOUT + PATIENCE
    try:
        with suppress(*RESET):
            assert stream.receive(deadline) == b""
    finally:
        stream.close()


def test_what_comes_right_behind_the_upgrade_is_heard(hub: RunningHub) -> None:
    device = new_device(hub)
    stream = TlsStream(hub.address, hub.ready["https"])
    stream.send(upgrade(hub.address) + frame(BINARY, connect_packet(hub, device)))
    data, deadline = b"", time.monotonic() + PATIENCE
    while b"\x20\x02\x00\x00" not in data:
        data += stream.receive(deadline)
    stream.close()
