"""An AMQP client for tests: says what it is told, well-formed or not, and remembers what it heard. No IO.

It stands on the product's codec, which is tested against other makers' clients, and keeps the few numbers that a
client needs so that a test reads like the dialogue. `Line` at the end carries it over TLS or plain TCP.
"""

import itertools
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    PROTOCOL_HEADER,
    SASL_FRAME,
    SASL_HEADER,
    FrameBuffer,
    encode_frame,
)
from ironhub.wire.amqp.message import RawMessage, decode_map_section, split_message
from ironhub.wire.amqp.outcomes import ACCEPTED, DeliveryState
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
from ironhub.wire.amqp.properties import decode_properties, properties_section
from ironhub.wire.amqp.sasl import SaslFrame, SaslInit, SaslMechanisms, SaslOutcome, decode_sasl
from ironhub.wire.amqp.sections import application_section, data_section, encode_message, value_section
from ironhub.wire.amqp.termini import Terminus, source, target
from ironhub.wire.amqp.values import Value

WINDOW: Final = 0x7FFF_FFFF
MAX_FRAME: Final = 65_536
CBS: Final = "$cbs"
SAS_TYPE: Final = "servicebus.windows.net:sastoken"
PATIENCE: Final = 15.0
"""Seconds until a `Line` gives up on what it waits for."""


@dataclass(eq=False)
class Received:
    """A whole message that came on a link."""

    delivery_id: int
    tag: bytes
    payload: bytes
    settled: bool

    @property
    def message(self) -> RawMessage:
        """Its sections."""
        return split_message(self.payload)

    @property
    def body(self) -> bytes:
        """What it carries."""
        return self.message.body

    @property
    def application(self) -> dict[Value, Value]:
        """Its application properties."""
        return decode_map_section(self.message.application_properties)

    @property
    def annotations(self) -> dict[Value, Value]:
        """Its message annotations."""
        return decode_map_section(self.message.message_annotations)


@dataclass(eq=False)
class ClientLink:
    """One end of a link; `sends` tells which."""

    client: "AmqpClient"
    name: str
    handle: int
    channel: int
    sends: bool
    credit: int = 0
    """For a sender: what the hub granted and was not used."""
    delivery_count: int = 0
    attached: Attach | None = None
    """The hub's answer."""
    detached: Detach | None = None
    """The hub's end."""
    messages: list[Received] = field(default_factory=list)
    """What came, for a receiver."""
    states: dict[int, DeliveryState | None] = field(default_factory=dict)
    """What the hub said of what was sent, by delivery id; None: settled without a state."""
    drained: int = 0
    """FLOWs that came with drain set."""

    @property
    def refusal(self) -> str:
        """The condition that the hub refused or ended it with; "" if it did not."""
        ended = self.detached
        return "" if ended is None or ended.error is None else ended.error.condition

    @property
    def is_open(self) -> bool:
        """Whether the hub has answered the ATTACH, with a terminus, and not ended the link."""
        answer = self.attached
        return answer is not None and answer.source is not None and answer.target is not None and self.detached is None

    def take(self) -> list[Received]:
        """Return the messages that came since the last call."""
        taken, self.messages = self.messages, []
        return taken


class AmqpClient:
    """One connection of a client. `send` gets every byte at once; `hear` takes the hub's."""

    def __init__(self, send: Callable[[bytes], None], *, max_frame: int = MAX_FRAME) -> None:
        self.send = send
        self.max_frame = max_frame
        self.links: list[ClientLink] = []
        self.frames: list[tuple[int, Performative]] = []
        """All that came, with its channel."""
        self.headers: list[bytes] = []
        self.mechanisms: tuple[str, ...] = ()
        self.outcome: int | None = None
        """Of SASL."""
        self.opened: Open | None = None
        self.begun: dict[int, Begin] = {}
        self.ended: dict[int, End] = {}
        self.closed: Close | None = None
        self.heartbeats = 0
        self._buffer = FrameBuffer(1 << 24)
        self._handles: dict[int, itertools.count[int]] = {}
        self._delivery_ids: dict[int, itertools.count[int]] = {}
        self._next_incoming: dict[int, int] = {}
        self._next_outgoing: dict[int, int] = {}
        self._by_theirs: dict[tuple[int, int], ClientLink] = {}
        self._partial: dict[ClientLink, tuple[Transfer, list[bytes]]] = {}
        self._names = itertools.count(1)

    # What a client says.

    def frame(self, performative: Performative, channel: int = 0) -> None:
        """Say one performative."""
        self.send(encode_frame(0, channel, performative.encode()))

    def sasl(self, mechanism: str, response: bytes | None = None, hostname: str | None = None) -> None:
        """Say the SASL header and the choice."""
        self.send(SASL_HEADER + encode_frame(SASL_FRAME, 0, SaslInit(mechanism, response, hostname).encode()))

    def plain(self, user: str, password: str) -> None:
        """Log in with SASL PLAIN."""
        self.sasl("PLAIN", f"\0{user}\0{password}".encode())

    def open(
        self, *, hostname: str | None = "hub.example", container: str = "client", idle: int = 0, begin: bool = True
    ) -> None:
        """Say the AMQP header, OPEN and, unless told otherwise, BEGIN on channel 0; `idle` is in milliseconds."""
        self.send(AMQP_HEADER)
        self.frame(Open(container, hostname, self.max_frame, 65_535, idle))
        if begin:
            self.begin()

    def begin(self, channel: int = 0, *, window: int = WINDOW) -> None:
        """Begin a session."""
        self._handles[channel] = itertools.count()
        self._delivery_ids[channel] = itertools.count()
        self._next_outgoing[channel] = 0
        self._next_incoming[channel] = 1
        self.frame(Begin(ABSENT, 0, window, WINDOW, 65_535), channel)

    def sender(
        self,
        address: str | None,
        *,
        channel: int = 0,
        name: str = "",
        settle: int = 0,
        properties: Sequence[tuple[str, bytes]] = (),
        source_address: str | None = None,
    ) -> ClientLink:
        """Attach a link to send on. `settle` is its snd-settle-mode; the values of `properties` are encoded."""
        link = self._new_link(channel, name, sends=True)
        attach = Attach(
            link.name,
            link.handle,
            False,
            settle,
            0,
            source(source_address),
            target(address),
            initial_delivery_count=0,
            properties=_symbol_map(properties),
        )
        self.frame(attach, channel)
        return link

    def receiver(
        self,
        address: str | None,
        *,
        credit: int | None = 1000,
        channel: int = 0,
        name: str = "",
        settle: tuple[int, int] = (2, 0),
        properties: Sequence[tuple[str, bytes]] = (),
        terminus: Terminus | None = None,
        target_address: str | None = None,
        capabilities: Sequence[str] = (),
    ) -> ClientLink:
        """Attach a link to receive on.

        Args:
            credit: granted at once; None: no FLOW.
            settle: snd-settle-mode and rcv-settle-mode.
            terminus: the source, when it is more than an address; see `filtered_source`.
        """
        link = self._new_link(channel, name, sends=False)
        attach = Attach(
            link.name,
            link.handle,
            True,
            settle[0],
            settle[1],
            terminus or source(address),
            target(target_address),
            properties=_symbol_map(properties),
            desired_capabilities=list(capabilities),
        )
        self.frame(attach, channel)
        if credit is not None:
            self.grant(link, credit)
        return link

    def grant(self, link: ClientLink, credit: int, *, drain: bool = False, echo: bool = False) -> None:
        """Set the credit of a link to receive on."""
        link.credit = credit
        channel = link.channel
        self.frame(
            Flow(
                self._next_incoming[channel],
                WINDOW,
                self._next_outgoing[channel],
                WINDOW,
                link.handle,
                link.delivery_count,
                credit,
                drain=drain,
                echo=echo,
            ),
            channel,
        )

    def transfer(
        self,
        link: ClientLink,
        payload: bytes,
        *,
        settled: bool = False,
        tag: bytes | None = None,
        message_format: int = 0,
        pieces: int = 1,
    ) -> int:
        """Send a message, in `pieces` frames; returns its delivery id."""
        delivery_id = next(self._delivery_ids[link.channel])
        link.credit -= 1
        link.delivery_count += 1
        size = -(-len(payload) // pieces) or 1
        parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        for number, part in enumerate(parts):
            more = number < len(parts) - 1
            name = delivery_id.to_bytes(4, "big") if tag is None else tag
            self._next_outgoing[link.channel] += 1
            self.frame(Transfer(link.handle, delivery_id, name, message_format, settled, more, part), link.channel)
        return delivery_id

    def dispose(
        self, link: ClientLink, first: int, last: int | None = None, kind: int = ACCEPTED, *, settled: bool = True
    ) -> None:
        """Say what becomes of deliveries that came."""
        end = first if last is None else last
        self.frame(Disposition(True, first, end, settled, DeliveryState(kind)), link.channel)

    def detach(self, link: ClientLink, *, closed: bool = True, error: Error | None = None) -> None:
        """End a link."""
        self.frame(Detach(link.handle, closed, error), link.channel)

    def end(self, channel: int = 0) -> None:
        """End a session."""
        self.frame(End(), channel)

    def close(self, error: Error | None = None) -> None:
        """End the connection."""
        self.frame(Close(error))

    def heartbeat(self) -> None:
        """Say nothing."""
        self.send(EMPTY_FRAME)

    def cbs(self, *, channel: int = 0, credit: int | None = 100) -> tuple[ClientLink, ClientLink]:
        """Attach the two links to put tokens with: the one that sends, the one that receives."""
        return self.sender(CBS, channel=channel), self.receiver(CBS, channel=channel, credit=credit)

    def put_token(
        self, link: ClientLink, token: str, *, message_id: bytes = b"", kind: str = SAS_TYPE, audience: str = ""
    ) -> int:
        """Ask `$cbs` to take a token; `message_id` is encoded. Returns the delivery id."""
        return self.transfer(link, put_token(token, message_id=message_id, kind=kind, audience=audience))

    # What it hears.

    def hear(self, data: bytes) -> None:
        """Take bytes of the hub, cut anywhere."""
        self._buffer.feed(data)
        while (frame := self._buffer.take()) is not None:
            kind, channel, body = frame
            if kind == PROTOCOL_HEADER:
                self.headers.append(body)
            elif kind == SASL_FRAME:
                self._hear_sasl(decode_sasl(body))
            elif not body:
                self.heartbeats += 1
            else:
                performative = decode_performative(body)
                self.frames.append((channel, performative))
                self._hear(channel, performative)

    def open_links(self) -> list[ClientLink]:
        """Those that the hub has accepted and not ended."""
        return [link for link in self.links if link.is_open]

    @property
    def reason(self) -> str:
        """The condition that the hub closed the connection with; "": it did not, or said none."""
        return self.closed.error.condition if self.closed is not None and self.closed.error is not None else ""

    def _new_link(self, channel: int, name: str, *, sends: bool) -> ClientLink:
        link = ClientLink(self, name or f"link-{next(self._names)}", next(self._handles[channel]), channel, sends)
        self.links.append(link)
        return link

    def _hear_sasl(self, frame: SaslFrame) -> None:
        if isinstance(frame, SaslMechanisms):
            self.mechanisms = frame.mechanisms
        elif isinstance(frame, SaslOutcome):
            self.outcome = frame.code

    def _hear(self, channel: int, performative: Performative) -> None:
        match performative:
            case Open():
                self.opened = performative
            case Begin():
                self.begun[channel] = performative
                self._next_incoming[channel] = performative.next_outgoing_id
            case Attach():
                self._hear_attach(channel, performative)
            case Transfer():
                self._hear_transfer(channel, performative)
            case Flow():
                self._hear_flow(channel, performative)
            case Disposition():
                self._hear_disposition(channel, performative)
            case Detach():
                if link := self._by_theirs.pop((channel, performative.handle), None):
                    link.detached = performative
            case End():
                self.ended[channel] = performative
            case Close():
                self.closed = performative

    def _hear_attach(self, channel: int, attach: Attach) -> None:
        for link in reversed(self.links):
            if link.name == attach.name and link.channel == channel and link.sends is attach.role:
                link.attached = attach
                self._by_theirs[channel, attach.handle] = link
                return
        raise AssertionError(f"an ATTACH that nobody asked for: {attach.name}")

    def _hear_transfer(self, channel: int, transfer: Transfer) -> None:
        self._next_incoming[channel] = (self._next_incoming[channel] + 1) & 0xFFFF_FFFF
        link = self._by_theirs[channel, transfer.handle]
        first, pieces = self._partial.pop(link, (transfer, []))
        pieces.append(transfer.payload)
        if transfer.more:
            self._partial[link] = first, pieces
            return
        link.delivery_count = (link.delivery_count + 1) & 0xFFFF_FFFF
        link.credit -= 1
        settled = first.settled or transfer.settled
        link.messages.append(Received(first.delivery_id, first.delivery_tag or b"", b"".join(pieces), settled))

    def _hear_flow(self, channel: int, flow: Flow) -> None:
        link = self._by_theirs.get((channel, flow.handle)) if flow.handle != ABSENT else None
        if link is None:
            return
        if link.sends:
            link.credit = max(flow.link_credit, 0)
        else:
            link.drained += flow.drain
            link.delivery_count = max(flow.delivery_count, 0)
            link.credit = max(flow.link_credit, 0)

    def _hear_disposition(self, channel: int, disposition: Disposition) -> None:
        for link in self.links:
            if link.channel == channel and link.sends and disposition.role:
                for delivery_id in range(disposition.first, disposition.last + 1):
                    link.states[delivery_id] = disposition.state


def put_token(
    token: str, *, message_id: bytes = b"", kind: str = SAS_TYPE, audience: str = "", reply_to: str = "cbs"
) -> bytes:
    """Return the message that asks `$cbs` to take a token; `message_id` is encoded."""
    return encode_message(
        properties=properties_section(message_id=message_id or encode.string("1"), to=CBS, reply_to=reply_to),
        application_properties=application_section(
            [
                ("operation", encode.string("put-token")),
                ("type", encode.string(kind)),
                ("name", encode.string(audience or "audience")),
            ]
        ),
        body=value_section(encode.string(token)),
    )


def statuses(link: ClientLink) -> list[Value]:
    """Return the status codes that came on a reply link, and forget them."""
    return [message.application["status-code"] for message in link.take()]


def correlation_of(received: Received) -> bytes:
    """Return the correlation id of a message, as encoded."""
    return decode_properties(received.message.properties).correlation_id_raw


def message(body: bytes, *, application: Sequence[tuple[str, str]] = (), **properties: str) -> bytes:
    """Return a message with a data body; application properties are strings, as are those of `properties_section`."""
    named = application_section([(name, encode.string(value)) for name, value in application]) if application else b""
    said = properties_section(**properties) if properties else b""  # type: ignore[arg-type]  # texts only
    return encode_message(properties=said, application_properties=named, body=data_section(body))


def filtered_source(address: str, filters: Sequence[tuple[str, bytes]]) -> Terminus:
    """Return a source with filters; their values are encoded."""
    fields = [encode.string(address), *[encode.null()] * 6, _symbol_map(filters)]
    return Terminus(encode.described(0x28, encode.list_(fields)), address)


def selector(text: str, *, by_number: bool = False) -> tuple[str, bytes]:
    """Return Azure's selector filter, described by symbol as Python writes it, or by number as JavaScript does."""
    name = "apache.org:selector-filter:string"
    value = encode.string(text)
    if by_number:
        return name, encode.described(0x0000_468C_0000_0004, value)
    return name, encode.described_symbol(name, value)


def _symbol_map(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    return encode.map_([(encode.symbol(name), value) for name, value in pairs]) if pairs else encode.null()


class Line:
    """Carries a client to a running hub over a socket; everything waits for the thing itself, with a deadline."""

    def __init__(self, address: str, port: int, context: ssl.SSLContext | None) -> None:
        """`context`: None for the plaintext port."""
        raw = socket.create_connection((address, port), PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = raw if context is None else context.wrap_socket(raw, server_hostname=address)
        self.client = AmqpClient(self.socket.sendall)
        self.is_cut = False
        """The hub has closed the connection."""

    def until(self, seen: Callable[[], object], patience: float = PATIENCE) -> None:
        """Hear until `seen()` is true. Raises AssertionError: it did not happen in time, or the hub hung up before."""
        deadline = time.monotonic() + patience
        while not seen():
            assert not self.is_cut, "the hub hung up"
            assert time.monotonic() < deadline, "it did not happen"
            self.hear(deadline)

    def until_cut(self, patience: float = PATIENCE) -> None:
        """Hear until the hub hangs up."""
        deadline = time.monotonic() + patience
        while not self.is_cut:
            assert time.monotonic() < deadline, "the hub did not hang up"
            self.hear(deadline)

    def hear(self, deadline: float) -> None:
        """Take what comes next."""
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self.socket.recv(262_144)
        except TimeoutError:
            return
        except OSError:
            data = b""
        if data:
            self.client.hear(data)
        else:
            self.is_cut = True

    def put_token(self, token: str) -> Value:
        """Open, attach to `$cbs` if that was not done, and put a token; returns the status code."""
        if not self.client.links:
            self.client.open()
            self.client.cbs()
        requests, replies = self.client.links[:2]
        self.until(lambda: requests.credit > 0)
        self.client.put_token(requests, token)
        self.until(lambda: replies.messages)
        return statuses(replies)[0]

    def close(self) -> None:
        """Cut."""
        self.socket.close()
