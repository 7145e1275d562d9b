"""Requests on one connection: one after the other, in time, within bounds."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.clock import FakeClock

from ironhub.core.errors import CorruptStore, HubError
from ironhub.heads.background import Background
from ironhub.heads.channel import Channel
from ironhub.heads.http.conversation import HttpConversation
from ironhub.heads.http.errors import BodyIncomplete
from ironhub.heads.http.messages import Head, HttpSettings, Request, Response

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
SOON = 5.0


class Echo:
    """An application that answers with what it was asked, when the test lets it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.background = Background()
        self.asked: list[Request] = []
        self.go = asyncio.Event()
        self.go.set()
        self.refusal: Response | None = None
        self.judged = 0

    async def admit(self, head: Head, channel: Channel) -> Response | None:
        self.judged += 1
        await self.go.wait()
        return self.refusal

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        await self.go.wait()
        return Response(200, f"{request.head.method} {request.head.path} ".encode() + request.body)

    def stream_limit(self, head: Head) -> int | None:
        return None

    def refuse(self, error: HubError) -> Response:
        return Response(error.status, error.code.encode())


class Inside:
    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.calls: list[str] = []

    def receive(self, data: bytes) -> None:
        self.calls.append(data.decode())

    def lost(self) -> None:
        self.calls.append("lost")

    def resumed(self) -> None:
        self.calls.append("resumed")


class Talk:
    """One connection with its application."""

    def __init__(self, **settings: float) -> None:
        self.application = Echo()
        self.channel = FakeChannel()
        self.inside: list[Inside] = []
        bounds = HttpSettings(**settings)  # type: ignore[arg-type]  # ints and floats by name
        self.conversation = HttpConversation(self.channel, self.application, {"mqtt": self._enter}, bounds)

    def _enter(self, channel: Channel) -> Inside:
        self.inside.append(Inside(channel))
        return self.inside[-1]

    def hear(self, data: bytes) -> None:
        self.conversation.receive(data)

    async def said(self, *, ends_with: bytes) -> bytes:
        """Wait until what was sent ends like this, and take it."""
        await self.until(lambda: self.channel.sent.endswith(ends_with))
        return self.channel.take()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not is_so():
                await asyncio.sleep(0)

    async def close(self) -> None:
        self.application.go.set()
        self.conversation.lost()
        await self.application.background.drain(SOON)


async def test_a_request_is_answered_and_the_connection_kept() -> None:
    talk = Talk()
    for _ in range(2):
        talk.hear(GET)
        answer = await talk.said(ends_with=b"GET /a ")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not talk.channel.closed
    await talk.close()


async def test_how_a_request_is_cut_does_not_matter() -> None:
    talk = Talk()
    for byte in b"\r\nPUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n":
        talk.hear(bytes([byte]))
    await talk.said(ends_with=b"PUT /b hi")
    await talk.close()


async def test_requests_sent_ahead_are_answered_one_at_a_time_in_order() -> None:
    talk = Talk()
    talk.application.go.clear()
    talk.hear(b"PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx" + GET + GET[:9])
    await talk.until(lambda: len(talk.application.asked) == 1)
    talk.application.go.set()
    answers = await talk.said(ends_with=b"GET /a ")
    assert b"PUT /1 x" in answers
    talk.hear(GET[9:])
    await talk.said(ends_with=b"GET /a ")
    await talk.close()


async def test_who_sends_far_ahead_is_not_read_until_the_answer_is_out() -> None:
    talk = Talk(max_ahead=100)
    talk.application.go.clear()
    talk.hear(GET)
    talk.hear(GET * 4)
    paused = not talk.channel.reading
    talk.hear(b"GET")
    talk.application.go.set()
    await talk.until(lambda: len(talk.application.asked) == 5)
    assert (paused, talk.channel.reading) == (True, True)
    await talk.close()


async def test_who_reads_no_answer_is_asked_nothing_more_until_it_does() -> None:
    talk = Talk()
    talk.channel.congested = True
    talk.hear(GET)
    assert talk.application.asked == []
    talk.channel.congested = False
    talk.conversation.resumed()
    await talk.said(ends_with=b"GET /a ")
    await talk.close()


async def test_who_sent_far_ahead_and_read_no_answer_is_read_again_when_it_reads() -> None:
    """What is there may be half a request: only what is read now can complete it."""
    talk = Talk(max_ahead=20)
    talk.channel.congested = True
    talk.hear(GET[:-2])
    paused = not talk.channel.reading
    talk.channel.congested = False
    talk.conversation.resumed()
    assert (paused, talk.channel.reading) == (True, True)
    talk.hear(GET[-2:])
    await talk.said(ends_with=b"GET /a ")
    await talk.close()


async def test_who_still_sends_too_far_ahead_is_held_back_again_at_once() -> None:
    talk = Talk(max_ahead=20)
    talk.application.go.clear()
    talk.channel.congested = True
    talk.hear(GET * 3)
    talk.channel.congested = False
    talk.conversation.resumed()
    assert not talk.channel.reading
    talk.application.go.set()
    await talk.until(lambda: len(talk.application.asked) == 3)
    await talk.close()


async def test_a_client_that_wants_to_close_is_let_go_after_its_answer() -> None:
    talk = Talk()
    talk.hear(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    await talk.said(ends_with=b"GET /a ")
    await talk.until(lambda: talk.channel.closed)
    talk.hear(GET)
    talk.conversation.resumed()
    assert len(talk.application.asked) == 1
    await talk.close()


async def test_a_client_that_waits_for_100_gets_it_before_it_sends() -> None:
    talk = Talk()
    talk.hear(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert talk.channel.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    talk.hear(b"hi")
    await talk.said(ends_with=b"PUT /a hi")
    await talk.close()


LARGE = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\nExpect: 100-continue\r\n\r\n"


async def test_a_stranger_shows_its_credential_before_it_sends_much() -> None:
    talk = Talk()
    talk.application.refusal = Response(401, b"who?")
    talk.hear(LARGE)
    answer = await talk.said(ends_with=b"who?")
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"Connection: close\r\n" in answer
    assert talk.channel.closed
    assert talk.application.asked == []
    await talk.close()


async def test_who_was_admitted_once_sends_large_bodies_without_more_ado() -> None:
    talk = Talk()
    for _ in range(2):
        talk.hear(LARGE)
        await talk.said(ends_with=b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.hear(b"x" * 20_000)
        await talk.said(ends_with=b"x" * 20_000)
    assert talk.application.judged == 1
    await talk.close()


async def test_what_comes_while_a_stranger_is_judged_waits() -> None:
    talk = Talk(max_ahead=100)
    talk.application.go.clear()
    talk.hear(b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    talk.hear(b"c8\r\n" + b"x" * 200 + b"\r\n0\r\n\r\n")
    paused = not talk.channel.reading
    talk.application.go.set()
    await talk.said(ends_with=b"PUT /a " + b"x" * 200)
    assert (paused, talk.channel.reading) == (True, True)
    await talk.close()


async def test_a_stranger_that_left_is_judged_for_nothing() -> None:
    talk = Talk()
    talk.application.go.clear()
    talk.hear(LARGE)
    await talk.close()
    assert talk.channel.take() == b""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x16\x03\x01 no HTTP\r\n\r\n", b"http.malformed"),
        (b"GET / HTTP/1.1\nHost: h\n\n", b"http.malformed"),
        (
            b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"http.malformed",
        ),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"http.malformed"),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n", b"http.too_large"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000, b"http.too_large"),
        (b"GET /$iothub/websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", b"websocket.handshake_refused"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_the_connection_ends(data: bytes, code: bytes) -> None:
    talk = Talk()
    talk.hear(data)
    await talk.until(lambda: talk.channel.closed)
    answer = talk.channel.take()
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.endswith(code)
    assert b"connection: close" in answer.lower()
    assert talk.application.asked == []
    await talk.close()


async def test_a_request_that_drips_is_cut_off_at_its_deadline() -> None:
    talk = Talk(request_timeout=0.05, idle_timeout=60.0)

    async def drip() -> None:
        for byte in GET[:-2] * 1000:
            if talk.channel.closed:
                return
            talk.hear(bytes([byte]))
            await asyncio.sleep(0.01)

    async with asyncio.timeout(SOON):
        await drip()
    assert b"408 Request Timeout" in talk.channel.take()
    await talk.close()


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    talk = Talk(request_timeout=0.01)
    talk.hear(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nh")
    await talk.until(lambda: talk.channel.closed)
    assert talk.channel.take().endswith(b"http.too_slow")
    await talk.close()


async def test_a_connection_without_requests_ends_without_a_word() -> None:
    talk = Talk(idle_timeout=0.01)
    await talk.until(lambda: talk.channel.closed)
    assert talk.channel.take() == b""
    await talk.close()


async def test_an_answer_that_does_not_come_is_told_and_what_was_begun_goes_on() -> None:
    talk = Talk(answer_timeout=0.01)
    talk.application.go.clear()
    talk.hear(GET)
    await talk.until(lambda: talk.channel.closed)
    assert talk.channel.take().endswith(b"http.answer_too_slow")
    assert len(talk.application.background) == 1
    talk.application.go.set()
    await talk.until(lambda: len(talk.application.background) == 0)
    assert talk.channel.take() == b""
    await talk.close()


async def test_what_was_begun_goes_on_when_the_peer_is_gone() -> None:
    talk = Talk()
    talk.application.go.clear()
    talk.hear(GET)
    talk.conversation.lost()
    assert len(talk.application.background) == 1
    talk.application.go.set()
    await talk.until(lambda: len(talk.application.background) == 0)
    assert talk.channel.take() == b""


HANDSHAKE = (
    b"GET /:18883/$iothub/websocket?x=y HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: MQTT\r\n\r\n"
)
MASKED_HI = b"\x82\x82\x00\x00\x00\x00hi"


async def test_a_websocket_takes_over_with_what_was_sent_ahead() -> None:
    talk = Talk(idle_timeout=0.0, request_timeout=0.0)
    talk.hear(HANDSHAKE + MASKED_HI)
    answer = talk.channel.take()
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Protocol: MQTT\r\n" in answer
    talk.hear(MASKED_HI)
    talk.inside[0].channel.send(b"yo")
    assert talk.channel.take() == b"\x82\x02yo"
    talk.inside[0].channel.identified()
    for _ in range(3):
        await asyncio.sleep(0)  # the deadlines, were they still on, would pass here
    talk.conversation.resumed()
    talk.conversation.lost()
    assert talk.inside[0].calls == ["hi", "hi", "resumed", "lost"]
    assert not talk.channel.closed


async def test_a_websocket_whose_peer_never_authenticates_is_cut_whatever_was_shown_before_it() -> None:
    talk = Talk(request_timeout=0.0)
    talk.hear(HANDSHAKE)
    for _ in range(3):
        await asyncio.sleep(0)
    assert talk.channel.aborted


async def test_a_websocket_that_sends_nothing_ahead_takes_over_too() -> None:
    talk = Talk()
    talk.hear(HANDSHAKE)
    assert talk.inside[0].calls == []
    talk.hear(MASKED_HI)
    assert talk.inside[0].calls == ["hi"]
    await talk.close()


# Bodies that are taken as they come, and answers that are sent as they are read.

LIMIT = 1_000_000


def put(length: int | None, *more: str) -> bytes:
    """The head of a request with a body of this length; None: in chunks."""
    told = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join(["PUT /a HTTP/1.1", "Host: h", told, *more, "", ""]).encode()


class Store:
    """An application that takes bodies as they come, as slowly as the test lets it."""

    def __init__(self) -> None:
        self.clock, self.background = FakeClock(), Background()
        self.taken = bytearray()
        self.go, self.admitting = asyncio.Event(), asyncio.Event()
        self.go.set()
        self.admitting.set()
        self.refusal: Response | None = None
        self.early: Response | None = None
        self.lost: HubError | None = None
        self.answers: dict[str, Callable[[], Response]] = {}

    async def admit(self, head: Head, channel: Channel) -> Response | None:
        await self.admitting.wait()
        return self.refusal

    def stream_limit(self, head: Head) -> int | None:
        return LIMIT if head.method == "PUT" else None

    async def answer(self, request: Request) -> Response:
        if request.incoming is None:
            return self.answers[request.head.path]()
        if self.early is not None:
            return self.early
        try:
            async for piece in request.incoming:
                await self.go.wait()
                self.taken += piece
        except BodyIncomplete as error:
            self.lost = error
            return Response(400)
        return Response(201, f"{len(self.taken)}".encode())

    def refuse(self, error: HubError) -> Response:
        return Response(error.status, error.code.encode())


class StoreTalk:
    """One connection."""

    def __init__(self, **settings: float) -> None:
        self.store, self.channel = Store(), FakeChannel()
        bounds = HttpSettings(**settings)  # type: ignore[arg-type]  # ints and floats by name
        self.conversation = HttpConversation(self.channel, self.store, {"mqtt": self._no_websocket}, bounds)
        self.hear = self.conversation.receive

    def _no_websocket(self, channel: Channel) -> HttpConversation:
        raise AssertionError

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not is_so():
                await asyncio.sleep(0)

    async def said(self, ends_with: bytes) -> bytes:
        await self.until(lambda: self.channel.sent.endswith(ends_with))
        return self.channel.take()

    async def close(self) -> None:
        self.store.go.set()
        self.conversation.lost()
        await self.store.background.drain(SOON)


@pytest.fixture
async def talk() -> AsyncIterator[StoreTalk]:
    made = StoreTalk()
    yield made
    await made.close()


async def test_a_body_far_over_the_bound_of_others_is_taken_as_it_comes(talk: StoreTalk) -> None:
    talk.hear(put(900_000))
    for _ in range(9):
        talk.hear(b"x" * 100_000)
        await asyncio.sleep(0)
    assert b" 201 Created" in await talk.said(b"900000")
    talk.hear(put(2) + b"hi" + put(0))
    await talk.said(b"900002")
    assert not talk.channel.closed


async def test_chunks_are_taken_as_they_come_however_cut(talk: StoreTalk) -> None:
    for byte in put(None) + b"2\r\nhi\r\n3\r\nyou\r\n0\r\n\r\n":
        talk.hear(bytes([byte]))
        await asyncio.sleep(0)
    await talk.said(b"5")
    assert talk.store.taken == b"hiyou"


async def test_nothing_of_the_body_is_asked_for_before_its_sender_is_admitted(talk: StoreTalk) -> None:
    talk.store.admitting.clear()
    talk.hear(put(5, "Expect: 100-continue"))
    await asyncio.sleep(0)
    assert talk.channel.sent == b""
    talk.store.admitting.set()
    assert await talk.said(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    talk.hear(b"hello")
    await talk.said(b"5")


async def test_who_is_not_admitted_is_told_and_cut_although_the_body_is_small(talk: StoreTalk) -> None:
    talk.store.refusal = Response(403, b"no")
    talk.hear(put(2) + b"hi")
    assert b" 403 Forbidden" in await talk.said(b"no")
    assert talk.channel.closed
    assert talk.store.taken == b""


@pytest.mark.parametrize("request_", [put(LIMIT + 1), put(None) + b"F4241\r\n"])
async def test_over_its_own_bound_it_is_refused(talk: StoreTalk, request_: bytes) -> None:
    talk.hear(request_)
    assert b" 413 " in await talk.said(b"http.too_large")
    assert talk.channel.closed


async def test_a_slow_store_holds_the_sender_back(talk: StoreTalk) -> None:
    talk.store.go.clear()
    talk.hear(put(900_000))
    sent = 0
    while talk.channel.reading:
        talk.hear(b"x" * 50_000)
        sent += 50_000
        await asyncio.sleep(0)
        assert sent <= 400_000
    talk.store.go.set()
    await talk.until(lambda: talk.channel.reading)
    while sent < 900_000:
        talk.hear(b"x" * 50_000)
        sent += 50_000
        await asyncio.sleep(0)
    await talk.said(b"900000")


async def test_a_sender_that_leaves_half_way_is_not_taken_for_done(talk: StoreTalk) -> None:
    talk.hear(put(10) + b"half")
    await talk.until(lambda: talk.store.taken == b"half")
    talk.conversation.lost()
    await talk.until(lambda: talk.store.lost is not None)
    assert talk.channel.sent == b""


async def test_a_broken_body_ends_the_connection_and_is_not_taken_for_done(talk: StoreTalk) -> None:
    talk.hear(put(None) + b"2\r\nhi\r\n")
    await talk.until(lambda: talk.store.taken == b"hi")
    talk.hear(b"zz\r\n")
    assert b" 400 " in await talk.said(b"http.malformed")
    await talk.until(lambda: talk.store.lost is not None)
    assert talk.channel.closed


async def test_an_answer_before_the_body_is_whole_is_the_last_one(talk: StoreTalk) -> None:
    talk.store.early = Response(507, b"full")
    talk.hear(put(10) + b"half")
    assert b"Connection: close" in await talk.said(b"full")
    assert talk.channel.closed


async def test_a_body_that_drips_is_cut() -> None:
    talk = StoreTalk(rate_window=0.02, min_rate=1000)
    talk.hear(put(900_000))
    async with asyncio.timeout(SOON):
        while not talk.channel.closed:
            talk.hear(b"x")
            await asyncio.sleep(0.002)
    assert b"http.too_slow" in talk.channel.sent
    await talk.close()


async def test_a_sender_that_is_fast_enough_or_held_back_is_not_cut() -> None:
    talk = StoreTalk(rate_window=0.02, min_rate=1000)
    talk.hear(put(900_000))
    for _ in range(10):
        talk.hear(b"x" * 1000)
        await asyncio.sleep(0.005)
    talk.store.go.clear()
    while talk.channel.reading:
        talk.hear(b"x" * 50_000)
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0.005)
    assert not talk.channel.closed
    await talk.close()


def download(*pieces: bytes, fails: bool = False, length: int | None = None) -> Response:
    async def each() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        if fails:
            raise CorruptStore("broken")

    return Response(200, stream=each(), length=sum(map(len, pieces)) if length is None else length)


def get(method: str = "GET") -> bytes:
    return f"{method} /a HTTP/1.1\r\nHost: h\r\n\r\n".encode()


async def test_an_answer_is_sent_as_it_is_read_and_the_connection_kept(talk: StoreTalk) -> None:
    talk.store.answers["/a"] = lambda: download(b"one", b"two")
    for _ in range(2):
        talk.hear(get())
        assert b"Content-Length: 6\r\n" in await talk.said(b"\r\n\r\nonetwo")
    talk.hear(get("HEAD"))
    assert b"Content-Length: 6\r\n" in await talk.said(b"\r\n\r\n")
    assert not talk.channel.closed


async def test_a_reader_that_is_slow_gets_the_rest_when_it_reads(talk: StoreTalk) -> None:
    talk.store.answers["/a"] = lambda: download(b"one", b"two")
    talk.hear(get())
    talk.channel.congested = True
    await talk.said(b"one")
    for _ in range(5):
        await asyncio.sleep(0)
    assert talk.channel.sent == b""
    talk.channel.congested = False
    talk.conversation.resumed()
    assert await talk.said(b"two") == b"two"


async def test_a_reader_that_does_not_read_is_cut() -> None:
    talk = StoreTalk(read_timeout=0.01)
    talk.store.answers["/a"] = lambda: download(b"one", b"two")
    talk.hear(get())
    talk.channel.congested = True
    await talk.until(lambda: talk.channel.aborted)
    await talk.close()


async def test_a_reader_that_leaves_ends_the_reading(talk: StoreTalk) -> None:
    talk.store.answers["/a"] = lambda: download(b"one", b"two")
    talk.hear(get())
    talk.channel.congested = True
    await talk.said(b"one")
    talk.conversation.lost()
    await talk.until(lambda: len(talk.store.background) == 0)


async def test_an_answer_that_cannot_be_read_on_is_cut_short_and_never_looks_whole(talk: StoreTalk) -> None:
    talk.store.answers["/a"] = lambda: download(b"one", fails=True, length=6)
    talk.hear(get())
    await talk.until(lambda: talk.channel.aborted)
    assert bytes(talk.channel.sent).endswith(b"one")
