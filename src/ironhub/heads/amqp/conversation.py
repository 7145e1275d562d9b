"""One peer on AMQP, from its first byte to its last: owns the channel and the clock, and decides nothing itself.

What it protects: until a credential was good, only `$cbs` answers, and all that the peer can make the hub do is bounded
by the engine's limits for strangers, by the number of its attempts and by the listener's deadline. Whatever goes wrong
on a connection costs that connection only.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_errors import LinkRedirected, link_error
from ironhub.heads.amqp.credentials import Credentials
from ironhub.heads.amqp.deadlines import Deadlines
from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.nodes import Link, Nodes
from ironhub.heads.amqp.openers import address_of, open_link
from ironhub.heads.amqp.replies import ReplyLinks
from ironhub.heads.amqp.sasl import log_in, mechanisms_for
from ironhub.heads.amqp.services import AmqpServices
from ironhub.heads.amqp.turn import Turn
from ironhub.heads.channel import Channel
from ironhub.identity.model import AuthenticationFailed
from ironhub.wire.amqp import (
    Attached,
    Closed,
    Credited,
    Delivered,
    Detached,
    Error,
    Event,
    Opened,
    OutgoingLink,
    SaslInit,
    ServerConnection,
    Settled,
)

log: Final = logging.getLogger(__name__)

MAX_ASKED: Final = 300
"""Characters of what a peer asked for that the log repeats."""

MAX_OPENING: Final = 256
"""Links that are being opened before reading from the peer pauses: an ATTACH may have to wait, and costs more then."""


class TooManyAttempts(HubError):
    """A client that has shown nothing good tries on and on."""

    code: ClassVar[str] = "connection.too_many_attempts"
    status: ClassVar[int] = 401
    next_step: ClassVar[str] = "Look for the refusals before this one in the hub's log: each says what was wrong."


class AmqpConversation:
    """Feeds a wire connection from a channel and leads what happens on its links to their nodes; a Peer."""

    __slots__ = (
        "_attempts",
        "_closed",
        "_deadlines",
        "_dismissal",
        "_judging",
        "_nodes",
        "_opening",
        "_paused",
        "_replies",
        "_stranger",
        "_turn",
        "channel",
        "credentials",
        "hub",
        "wire",
    )

    def __init__(self, channel: Channel, hub: AmqpServices) -> None:
        self.channel = channel
        self.hub = hub
        self.credentials = Credentials(hub, self)
        self.wire = ServerConnection(hub.settings.limits, hub.clock.monotonic(), mechanisms_for(channel))
        self._deadlines = Deadlines(
            self.wire, self.credentials, hub.clock, open_timeout=hub.settings.open_timeout, due=self.on_timer
        )
        self._nodes = Nodes()
        self._replies: dict[str, ReplyLinks] = {}
        self._turn = Turn(self._end_turn)
        self._judging = False
        self._opening = 0
        self._stranger = True
        self._attempts = 0
        self._closed = False
        self._dismissal: asyncio.TimerHandle | None = None
        self._paused = False

    # The channel calls: see Conversation.

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer, cut anywhere."""
        if self._closed:
            return
        self._turn.begin_reading()
        try:
            for event in self.wire.receive(data, self.hub.clock.monotonic()):
                self._route(event)
            self._turn.run()
        except HubError as refusal:
            self.fail(refusal)
        finally:
            self._turn.end_reading()
        self.adjust_reading()
        self.flush()
        self._deadlines.heard()

    def resumed(self) -> None:
        """The peer reads again: whoever had to stop sending goes on."""
        self._nodes.resumed()
        self.flush()

    def lost(self) -> None:
        """The connection is over, whoever ended it."""
        self._closed = True
        self._deadlines.stop()
        if self._dismissal is not None:
            self._dismissal.cancel()
            self._dismissal = None
        for link in self._nodes:
            try:
                self._forget(link)
            except Exception:
                log.exception("amqp_node_failed", extra={"peer": self.channel.peer_address})
        self.credentials.lost()

    # The nodes call: see Peer.

    @property
    def closed(self) -> bool:
        """See `Peer.closed`."""
        return self._closed

    @property
    def container(self) -> str:
        """See `Peer.container`."""
        return self.wire.peer_container

    @property
    def hostname(self) -> str:
        """See `Peer.hostname`."""
        return self.wire.peer_hostname

    def flush(self) -> None:
        """See `Peer.flush`."""
        if not self._closed and (data := self.wire.to_send()):
            self.channel.send(data)

    def soon_flush(self) -> None:
        """See `Peer.soon_flush`."""
        if not self._closed:
            self._turn.soon()

    def when_read(self, callback: Callable[[], None]) -> None:
        """See `Peer.when_read`."""
        self._turn.add(callback)
        self.soon_flush()

    def adjust_reading(self) -> None:
        """See `Peer.adjust_reading`."""
        full = self._nodes.are_full() or self._judging or self._opening > MAX_OPENING
        if full is not self._paused and not self._closed:
            self._paused = full
            if full:
                self.channel.pause_reading()
            else:
                self.channel.resume_reading()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """See `Peer.spawn`."""
        self.hub.background.spawn(self._guarded(work))

    def replies(self, address: str) -> ReplyLinks:
        """See `Peer.replies`."""
        links = self._replies.get(address)
        if links is None:
            links = self._replies[address] = ReplyLinks(self.hub.settings.max_requests)
        return links

    def detach(self, link: Link, error: Error | HubError | None) -> None:
        """See `Peer.detach`."""
        link.detach(link_error(error) if isinstance(error, HubError) else error)
        self._forget(link)
        self.soon_flush()

    def dismiss(self, links: Iterable[Link], error: Error | HubError) -> None:
        """See `Peer.dismiss`."""
        for link in tuple(links):
            self.detach(link, error)
        if not self._nodes.keep_open and self._dismissal is None and not self._closed:
            told = link_error(error) if isinstance(error, HubError) else error
            delay = self.hub.settings.dismissal
            self._dismissal = asyncio.get_running_loop().call_later(delay, self._dismissed, told)

    def refused(self, error: HubError, asked: str = "") -> None:
        """See `Peer.refused`."""
        if isinstance(error, LinkRedirected):
            return
        told = {"code": error.code, "detail": error.detail or str(error), "asked": asked[:MAX_ASKED]}
        log.info("amqp_refused", extra={**told, "peer": self.channel.peer_address})
        self.hub.tally.add(f"refused:{error.code}")
        if self._stranger:
            self._attempts += 1
            if self._attempts >= self.hub.settings.max_attempts:
                self.fail(TooManyAttempts("too many attempts without a good credential"))

    def fail(self, error: HubError) -> None:
        """See `Peer.fail`."""
        if self._closed:
            return
        log.info(
            "amqp_connection_failed",
            extra={"code": error.code, "reason": error.detail or str(error), "peer": self.channel.peer_address},
        )
        self.hub.tally.add(f"refused:{error.code}")
        self.close(link_error(error))

    def close(self, error: Error | None = None) -> None:
        """See `Peer.close`."""
        if not self._closed:
            self.wire.close(error)
            self.hang_up()

    # The credentials call: see Holder.

    def admitted(self) -> None:
        """See `Holder.admitted`."""
        if self._closed:
            return
        if self._stranger:
            self._stranger = False
            self.channel.identified()
            self.wire.identified()
            self.hub.tally.add("accepted")
        self._deadlines.arm()

    def hang_up(self) -> None:
        """See `Holder.hang_up`."""
        if not self._closed:
            self.flush()
            self.channel.close()
            self.lost()

    # The deadlines call.

    def on_timer(self) -> None:
        """Time is up for something: do what is due, and look again later."""
        if self._closed:
            return
        self.credentials.expire(self.hub.clock.now())
        if self._deadlines.missed():
            log.info("amqp_peer_silent", extra={"peer": self.channel.peer_address})
            self.hang_up()
        self.flush()
        self._deadlines.arm()

    # Steps.

    def _route(self, event: Event) -> None:
        if self._closed:
            return
        if isinstance(event, Delivered):
            self._nodes.delivered(event)
        elif isinstance(event, Credited):
            self._nodes.credited(event.link)
        elif isinstance(event, Settled):
            self._nodes.settled(event)
        elif isinstance(event, Attached):
            self._opening += 1
            self.spawn(self._open(event.link))
        elif isinstance(event, Detached):
            self._forget(event.link)
        elif isinstance(event, SaslInit):
            self._judging = True  # and what it says ahead of the verdict waits in the kernel
            self.spawn(self._log_in(event))
        elif isinstance(event, Opened):
            self._deadlines.opened()
        elif isinstance(event, Closed):
            self._ended(event)

    async def _open(self, link: Link) -> None:
        try:
            node = await self._opened(link)
        except HubError as refusal:
            link.refuse(link_error(refusal))
            self.credentials.drop(link)
            self.refused(refusal, address_of(link))
            self.soon_flush()
            return
        self._nodes.add(link, node)
        self.hub.activity.add("links_opened")
        if link.detached or self._closed:
            self._forget(link)
        elif isinstance(link, OutgoingLink) and (link.sendable or link.drain):
            node.credited()
        self.soon_flush()

    async def _opened(self, link: Link) -> Node:
        """Links are opened also when the peer has ended them meanwhile; those that wait for that are few."""
        try:
            return await open_link(self, link)
        finally:
            self._opening -= 1
            if self._paused:
                self.adjust_reading()

    async def _log_in(self, init: SaslInit) -> None:
        try:
            await log_in(init, self.channel, self.credentials)
        except AuthenticationFailed as refusal:
            self.refused(refusal)
            self.wire.sasl_outcome(False)
            self.hang_up()
            return
        self._judging = False
        self.wire.sasl_outcome(True)
        self.receive(b"")  # what the client said ahead of the verdict
        self.flush()

    def _dismissed(self, error: Error) -> None:
        """The client had its time to close; it may also have shown something good, and gone on."""
        self._dismissal = None
        if not self._nodes.keep_open:
            self.close(error)

    def _forget(self, link: Link) -> None:
        if link in self._nodes:
            self.hub.activity.add("links_closed")
        self._nodes.end(link)
        self.credentials.drop(link)

    def _ended(self, event: Closed) -> None:
        if event.error is not None:
            log.info(
                "amqp_connection_ended",
                extra={"condition": event.error.condition, "reason": event.reason, "peer": self.channel.peer_address},
            )
        self.hang_up()

    def _end_turn(self) -> None:
        try:
            self._turn.run()
        except HubError as refusal:
            self.fail(refusal)
        except Exception:
            log.exception("amqp_node_failed", extra={"peer": self.channel.peer_address})
            self.fail(HubError("something broke in the hub"))
        self.adjust_reading()
        self.flush()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except HubError as error:
            self.fail(error)
        except Exception:
            log.exception("amqp_work_failed", extra={"peer": self.channel.peer_address})
            self.fail(HubError("something broke in the hub"))
