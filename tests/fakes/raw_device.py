"""A device that may say anything: raw packets over TLS or a WebSocket, with deadlines, no retries and no manners."""

import base64
import json
import os
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import unquote

from tests.fakes.mqtt_packets import PINGREQ, connect, publish, subscribe
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.identity.sas import make_sas_token

PATIENCE: Final = 15.0
"""Seconds until a test gives up on an answer; far above what one takes, since the machine may be busy."""
API_VERSION: Final = "/?api-version=2021-04-12"
MARK: Final = b"payload-7f3a91c2"
"""Part of every payload of the attacks, so that a log that repeats a payload is found out."""
shown_secrets: Final[set[str]] = set()
"""Keys and signatures that were used; none may ever stand in a log."""
RESET: Final = (ConnectionError, BrokenPipeError, ssl.SSLError)
"""What a peer sees whose connection was cut without a goodbye."""


class Packet(NamedTuple):
    """A packet of the hub, its fixed header taken off."""

    first: int
    body: bytes

    @property
    def kind(self) -> int:
        """The packet type: 2 CONNACK, 3 PUBLISH, 4 PUBACK, 9 SUBACK, 11 UNSUBACK, 13 PINGRESP."""
        return self.first >> 4

    @property
    def packet_id(self) -> int:
        """Of a PUBACK or SUBACK."""
        return int.from_bytes(self.body[:2], "big")

    @property
    def topic(self) -> str:
        """Of a PUBLISH."""
        return self.body[2 : 2 + self.packet_id].decode()

    @property
    def message_id(self) -> int:
        """The packet id of a PUBLISH of QoS 1."""
        return int.from_bytes(self.body[2 + self.packet_id :][:2], "big")

    @property
    def payload(self) -> bytes:
        """Of a PUBLISH."""
        return self.body[2 + self.packet_id + (2 if self.first & 6 else 0) :]


class Gone(Exception):
    """The hub ended the connection."""


class Stream(Protocol):
    """Bytes to and from the hub."""

    def send(self, data: bytes) -> None:
        """Send all. Raises what RESET names."""

    def receive(self, deadline: float) -> bytes:
        """Return what comes next; b"": the hub closed. Raises TimeoutError, and what RESET names."""

    def close(self) -> None:
        """Cut."""


def lenient_context(
    certificate: tuple[str, str] | None = None, *, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """Return a client that trusts anybody; `certificate` are paths of a chain and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


_PLAIN: Final = lenient_context()


class TlsStream:
    """TLS to one port of the hub."""

    def __init__(self, address: str, port: int, context: ssl.SSLContext | None = None) -> None:
        raw = socket.create_connection((address, port), PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket = (context or _PLAIN).wrap_socket(raw, server_hostname=address)
        except BaseException:
            raw.close()
            raise

    def send(self, data: bytes) -> None:
        """See `Stream`."""
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(data)

    def receive(self, deadline: float) -> bytes:
        """See `Stream`."""
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        return self.socket.recv(65_536)

    def close(self) -> None:
        """See `Stream`."""
        with suppress(OSError):
            self.socket.close()


def frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, length: int | None = None) -> bytes:
    """Return a WebSocket frame; `length` may lie about the payload."""
    size = len(payload) if length is None else length
    mark = 0x80 if masked else 0
    first = bytes([opcode | (0x80 if final else 0)])
    if size < 126:
        head = first + bytes([size | mark])
    elif size < 65_536:
        head = first + bytes([126 | mark]) + struct.pack(">H", size)
    else:
        head = first + bytes([127 | mark]) + struct.pack(">Q", size)
    mask = os.urandom(4) if masked else b""
    if masked and payload:
        stream = (mask * (len(payload) // 4 + 1))[: len(payload)]
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(payload), "big")
    return head + mask + payload


def upgrade(address: str, *, path: str = "/$iothub/websocket", protocol: str | None = "mqtt", **headers: str) -> bytes:
    """Return the request that opens a WebSocket; a header is left out when its value is empty."""
    fields = {
        "Host": address,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **({} if protocol is None else {"Sec-WebSocket-Protocol": protocol}),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class WebSocketStream:
    """A WebSocket over TLS; what is sent leaves as one binary frame."""

    def __init__(
        self, address: str, port: int, context: ssl.SSLContext | None = None, *, protocol: str = "mqtt"
    ) -> None:
        self.tls = TlsStream(address, port, context)
        self._buffer = b""
        deadline = time.monotonic() + PATIENCE
        try:
            self.tls.send(upgrade(address, protocol=protocol))
            while b"\r\n\r\n" not in self._buffer:
                self._more(deadline)
        except BaseException:
            self.tls.close()
            raise
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def send(self, data: bytes) -> None:
        """See `Stream`."""
        self.tls.send(frame(2, data))

    def receive(self, deadline: float) -> bytes:
        """Return the payload of the next data frame; b"": the hub closed, in order or not."""
        while True:
            opcode, payload = self.next_frame(deadline)
            if opcode == 8:
                return b""
            if opcode in (0, 2):
                return payload

    def next_frame(self, deadline: float) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame, (8, b"") at the end of the stream."""
        try:
            while len(self._buffer) < 2:
                self._more(deadline)
            opcode, size, start = self._buffer[0] & 15, self._buffer[1], 2
            if size > 125:
                start = 4 if size == 126 else 10
                while len(self._buffer) < start:
                    self._more(deadline)
                size = int.from_bytes(self._buffer[2:start], "big")
            while len(self._buffer) < start + size:
                self._more(deadline)
        except Gone:
            return 8, b""
        payload, self._buffer = self._buffer[start : start + size], self._buffer[start + size :]
        return opcode, payload

    def close(self) -> None:
        """See `Stream`."""
        self.tls.close()

    def _more(self, deadline: float) -> None:
        data = self.tls.receive(deadline)
        if not data:
            raise Gone("the hub closed")
        self._buffer += data


class RawDevice:
    """One peer of the hub. It counts nothing and checks nothing by itself."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._buffer = b""

    def send(self, *packets: bytes) -> None:
        """Send all; a connection that is gone meanwhile is no error: `is_closed` tells."""
        with suppress(*RESET):
            self.stream.send(b"".join(packets))

    def packet(self, timeout: float = PATIENCE) -> Packet:
        """Return the next packet. Raises Gone, TimeoutError."""
        deadline = time.monotonic() + timeout
        while (found := self._cut()) is None:
            try:
                data = self.stream.receive(deadline)
            except TimeoutError:
                raise
            except RESET as error:
                raise Gone(str(error)) from error
            if not data:
                raise Gone("the hub closed")
            self._buffer += data
        return found

    def packet_of(self, kind: int, timeout: float = PATIENCE) -> Packet:
        """Return the next packet of this type, dropping others. Raises Gone, TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.packet(max(deadline - time.monotonic(), 0.001))
            if found.kind == kind:
                return found

    def is_closed(self, timeout: float = PATIENCE) -> bool:
        """Tell whether the hub ends the connection within `timeout`; what still comes is dropped."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.packet(max(deadline - time.monotonic(), 0.001))
        except Gone:
            return True
        except TimeoutError:
            return False

    def is_open(self) -> bool:
        """Tell whether the hub still answers on this connection."""
        try:
            self.ping()
        except (Gone, TimeoutError):
            return False
        return True

    def ping(self, timeout: float = PATIENCE) -> None:
        """Wait for a PINGRESP. Raises Gone, TimeoutError."""
        self.send(PINGREQ)
        self.packet_of(13, timeout)

    def connack(self, packet: bytes, timeout: float = PATIENCE) -> int | None:
        """Send a CONNECT and return the code of the answer; None: the hub closed without one."""
        self.send(packet)
        try:
            return self.packet_of(2, timeout).body[1]
        except Gone:
            return None

    def publish(self, topic: str, payload: bytes = b"", *, packet_id: int = 1, timeout: float = PATIENCE) -> None:
        """Publish with QoS 1 and wait for the PUBACK. Raises Gone, TimeoutError."""
        self.send(publish(topic, payload, qos=1, packet_id=packet_id))
        while self.packet_of(4, timeout).packet_id != packet_id:
            pass

    def subscribe(self, *filters: str, qos: int = 1, packet_id: int = 1) -> bytes:
        """Subscribe and return the codes of the SUBACK. Raises Gone, TimeoutError."""
        self.send(subscribe(packet_id, *((name, qos) for name in filters)))
        return self.packet_of(9).body[2:]

    def close(self) -> None:
        """Cut the connection."""
        self.stream.close()

    def __enter__(self) -> "RawDevice":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _cut(self) -> Packet | None:
        size, shift, place = 0, 0, 1
        while place < len(self._buffer):
            size |= (self._buffer[place] & 0x7F) << shift
            place += 1
            if self._buffer[place - 1] < 0x80:
                break
            shift += 7
        else:
            return None
        if len(self._buffer) < place + size:
            return None
        found = Packet(self._buffer[0], self._buffer[place : place + size])
        self._buffer = self._buffer[place + size :]
        return found


def dial(hub: RunningHub, over: str = "mqtt", context: ssl.SSLContext | None = None) -> RawDevice:
    """Return a peer that has shaken hands and said nothing, over "mqtt" or "websocket". Raises what RESET names."""
    if over == "mqtt":
        return RawDevice(TlsStream(hub.address, hub.ready["mqtt"], context))
    return RawDevice(WebSocketStream(hub.address, hub.ready["https"], context))


def token_for(
    hub: RunningHub, device: Registered, *, key: str | None = None, resource: str | None = None, ends_in: float = 3600
) -> str:
    """Return a good token of `device`, but for what is given: another key (base64), resource or time (seconds)."""
    path = f"{hub.address}/devices/{device.device_id}"
    path += f"/modules/{device.module_id}" if device.module_id else ""
    secret = base64.b64decode(device.primary_key if key is None else key)
    return remembered(secret, make_sas_token(path if resource is None else resource, secret, _instant(ends_in)))


def remembered(key: bytes, token: str) -> str:
    """Return `token`; from here on neither it nor `key` may stand in a log."""
    signature = token.partition("sig=")[2].partition("&")[0]
    whole = (signature, unquote(signature), base64.b64encode(key).decode(), key.hex())
    shown_secrets.update(text[:16] for text in whole)  # a part of it would be too much already
    return token


def _instant(ends_in: float) -> int:
    return int(time.time() + ends_in)


def client_id_of(device: Registered) -> str:
    """The client id of a device or module."""
    return device.device_id if device.module_id is None else f"{device.device_id}/{device.module_id}"


def connect_packet(hub: RunningHub, device: Registered, token: str | None = "", **fields: Any) -> bytes:
    """Return the CONNECT of `device`; `token` "" makes a good one, None leaves the password out."""
    client_id = client_id_of(device)
    given = token_for(hub, device) if token == "" else token
    defaults: dict[str, Any] = {
        "username": f"{hub.address}/{client_id}{API_VERSION}",
        "password": None if given is None else given.encode(),
    }
    return connect(fields.pop("client_id", client_id), **{**defaults, **fields})


@contextmanager
def online(hub: RunningHub, device: Registered, over: str = "mqtt", **fields: Any) -> Iterator[RawDevice]:
    """A peer that is connected as `device`."""
    with dial(hub, over) as peer:
        assert peer.connack(connect_packet(hub, device, **fields)) == 0
        yield peer


def command_filter(device: Registered) -> str:
    """What a device subscribes to for its commands."""
    inside = f"/modules/{device.module_id}" if device.module_id else ""
    return f"devices/{device.device_id}{inside}/messages/devicebound/#"


def events_topic(device: Registered, bag: str = "") -> str:
    """Where a device publishes its telemetry."""
    inside = f"/modules/{device.module_id}" if device.module_id else ""
    return f"devices/{device.device_id}{inside}/messages/events/{bag}"


def send_command(hub: RunningHub, device: Registered, body: bytes, **fields: Any) -> None:
    """Queue a command for the device."""
    given = {"body_base64": base64.b64encode(body).decode(), **fields}
    query = {"module": device.module_id} if device.module_id else {}
    hub.call("POST", f"/devices/{device.device_id}/commands", json=given, params=query)


class HttpAnswer(NamedTuple):
    """A response as a raw client reads it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)


def http_request(
    method: str, path: str, *, host: str, token: str | None = None, body: bytes = b"", **headers: str
) -> bytes:
    """Return a request of HTTP/1.1 exactly as given: nothing is encoded or checked."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"Authorization: {token}"] if token is not None else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def read_answer(stream: Stream, timeout: float = PATIENCE) -> HttpAnswer | None:
    """Return the next response, None when the connection ended without one. Raises TimeoutError."""
    deadline, data = time.monotonic() + timeout, b""
    with suppress(*RESET):
        while b"\r\n\r\n" not in data:
            piece = stream.receive(deadline)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            body += stream.receive(deadline)
        return HttpAnswer(int(first.split(" ")[1]), headers, body)
    return None


def ask(address: str, port: int, request: bytes, timeout: float = PATIENCE) -> HttpAnswer | None:
    """Send one raw request on a connection of its own and return the response, None: there was none."""
    stream = TlsStream(address, port)
    try:
        with suppress(*RESET):
            stream.send(request)
        return read_answer(stream, timeout)
    finally:
        stream.close()


def policy_token(hub: RunningHub, policy: str, *, path: str = "", ends_in: float = 3600) -> str:
    """Return a back end's token of `policy`, signed for the hub or for `path` below it."""
    text = hub.connection_string(policy=policy)
    key = dict(part.split("=", 1) for part in text.split(";"))["SharedAccessKey"]
    secret = base64.b64decode(key)
    return remembered(secret, make_sas_token(f"{hub.address}{path}", secret, _instant(ends_in), policy))
