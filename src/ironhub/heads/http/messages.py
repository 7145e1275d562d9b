"""Requests and responses as values, and the bounds they keep."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from ironhub.core.clock import Clock
from ironhub.core.errors import HubError
from ironhub.heads.background import Background
from ironhub.heads.channel import Channel
from ironhub.heads.http.incoming import IncomingBody

JSON: Final = "application/json; charset=utf-8"
"""Node's SDK parses a body only if this names application/json."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """The bounds of one HTTP connection."""

    max_head: int = 16_384
    """Bytes of the request line and the headers together."""
    max_body: int = 1_048_576
    """Bytes; a longer request is refused with 413."""
    max_stranger_body: int = 16_384
    """Bytes a peer may announce before its credential was looked at; for more, that is done first."""
    max_pieces: int = 4096
    """Chunks a body may come in: many tiny ones cost more than they weigh."""
    max_ahead: int = 65_536
    """Bytes that are taken from a client that sends on before its answer; then its socket is not read."""
    request_timeout: float = 30.0
    """Seconds from the first byte of a request to its last, however it drips."""
    answer_timeout: float = 660.0
    """Seconds an answer may take; a direct method waits for up to 600."""
    max_streamed_pieces: int = 1_000_000
    """Chunks a body may come in that is taken as it comes."""
    max_waiting: int = 262_144
    """Bytes of such a body that wait to be stored; then the socket is not read."""
    rate_window: float = 30.0
    """Seconds after which the rate of such a body is looked at, again and again."""
    min_rate: int = 512
    """Bytes a second it must come at, in each window in which the hub was ready to take them."""
    read_timeout: float = 60.0
    """Seconds within which a client must have read a part of an answer that is sent as it is read from the disk."""
    idle_timeout: float = 300.0
    """Seconds a connection is kept between requests; clients reuse them."""


DEFAULT_SETTINGS: Final = HttpSettings()


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    """As sent, still encoded, without the query."""
    query: str = field(repr=False)
    """As sent, still encoded."""
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name; of a repeated one the first. They may hold a token, so they are never shown."""
    version: str = "1.1"
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """All headers in order, their names spelt as sent."""

    @property
    def announced(self) -> int | None:
        """Bytes the body will have; None: that shows when it ends."""
        return None if "transfer-encoding" in self.headers else int(self.headers.get("content-length", "0"))


@dataclass(frozen=True, slots=True)
class Request:
    """One whole request."""

    head: Head
    body: bytes = field(repr=False)
    channel: Channel = field(repr=False)
    """The connection: for the peer's certificate, and to say that it is no stranger any more."""
    incoming: IncomingBody | None = field(default=None, repr=False)
    """The body as it comes, where the application takes it so; `body` is empty then."""


@dataclass(frozen=True, slots=True)
class Response:
    """One whole response."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    content_type: str = JSON
    """Sent with a body only."""
    stream: AsyncIterator[bytes] | None = field(default=None, repr=False)
    """A body that is read while it is sent, instead of `body`."""
    length: int | None = None
    """Bytes of `stream`; in the answer to HEAD: of what GET would give."""


class Application(Protocol):
    """Answers requests; one for all conversations of a head."""

    @property
    def clock(self) -> Clock:
        """Dates the answers."""

    @property
    def background(self) -> Background:
        """Runs the answers, so that a stop of the hub can wait for them."""

    async def admit(self, head: Head, channel: Channel) -> Response | None:
        """Look at a request before its body comes; returns the response that refuses it, or None. Raises nothing."""

    async def answer(self, request: Request) -> Response:
        """Return the response. Raises nothing: an error is a response too."""

    def stream_limit(self, head: Head) -> int | None:
        """Return how many bytes a body may have that is taken as it comes; None: it is read whole first.

        Such a request is admitted before the first byte of its body is asked for. Raises nothing.
        """

    def refuse(self, error: HubError) -> Response:
        """Return the response to a request that could not be read, or not be answered."""
