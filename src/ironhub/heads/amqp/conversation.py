"""One peer on AMQP, from its first byte to its last: owns the channel and the clock, and decides nothing itself.

What it protects: until a credential was good, only `$cbs` answers, and all that the peer can make the hub do is bounded
by the engine's limits for strangers, by the number of its attempts and by the listener's deadline. Whatever goes wrong
on a connection costs that connection only.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_addresses import AddressUnknown, parse_address
from ironhub.dialects.azure.amqp_errors import LinkRedirected, link_error
from ironhub.heads.amqp.credentials import Credentials
from ironhub.heads.amqp.node import Node, Openers
from ironhub.heads.amqp.openers import OPENERS
from ironhub.heads.amqp.replies import ReplyLinks
from ironhub.heads.amqp.sasl import log_in, mechanisms_for
from ironhub.heads.amqp.services import AmqpServices
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
    IncomingLink,
    Opened,
    OutgoingLink,
    SaslInit,
    ServerConnection,
    Settled,
)

log: Final = logging.getLogger(__name__)

Link = IncomingLink | OutgoingLink
_NOBODY: Final = Openers()


class TooManyAttempts(HubError):
    """A client that has shown nothing good tries on and on."""

    code: ClassVar[str] = "connection.too_many_attempts"
    status: ClassVar[int] = 401
    next_step: ClassVar[str] = "Look for the refusals before this one in the hub's log: each says what was wrong."


class AmqpConversation:
    """Feeds a wire connection from a channel and leads what happens on its links to their nodes; a Peer."""

    __slots__ = (
        "_after",
        "_attempts",
        "_busy",
        "_closed",
        "_dismissal",
        "_expiry",
        "_flushing",
        "_judging",
        "_nodes",
        "_open_by",
        "_paused",
        "_replies",
        "_routing",
        "_stranger",
        "_timer",
        "_timer_at",
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
        self._nodes: dict[Link, Node] = {}
        self._replies: dict[str, ReplyLinks] = {}
        self._busy: set[Node] = set()
        """Those that were overloaded when looked at last."""
        self._after: list[Callable[[], None]] = []
        self._routing = False
        self._flushing = False
        self._judging = False
        self._stranger = True
        self._attempts = 0
        self._closed = False
        self._dismissal: asyncio.TimerHandle | None = None
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._expiry: float | None = None
        self._open_by = hub.clock.monotonic() + hub.settings.open_timeout

    # The channel calls: see Conversation.

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer, cut anywhere."""
        if self._closed:
            return
        self._routing = True
        try:
            for event in self.wire.receive(data, self.hub.clock.monotonic()):
                self._route(event)
            self._run_after()
        except HubError as refusal:
            self.fail(refusal)
        finally:
            self._routing = False
        self.adjust_reading()
        self.flush()
        if self.wire.next_timeout is not None and self.wire.next_timeout < self._timer_at:
            self._arm()

    def resumed(self) -> None:
        """The peer reads again: whoever had to stop sending goes on."""
        for link, node in tuple(self._nodes.items()):
            if isinstance(link, OutgoingLink):
                node.credited()
        self.flush()

    def lost(self) -> None:
        """The connection is over, whoever ended it."""
        self._closed = True
        for timer in (self._timer, self._dismissal):
            if timer is not None:
                timer.cancel()
        self._timer = self._dismissal = None
        for link in tuple(self._nodes):
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
        if not (self._routing or self._flushing or self._closed):
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush_now)

    def when_read(self, callback: Callable[[], None]) -> None:
        """See `Peer.when_read`."""
        self._after.append(callback)
        if not self._routing:
            self.soon_flush()

    def adjust_reading(self) -> None:
        """See `Peer.adjust_reading`."""
        if self._busy:
            self._busy = {node for node in self._busy if node.overloaded}
        full = self._judging or bool(self._busy)
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
        if not self._is_kept_open and self._dismissal is None and not self._closed:
            told = link_error(error) if isinstance(error, HubError) else error
            delay = self.hub.settings.dismissal
            self._dismissal = asyncio.get_running_loop().call_later(delay, self._dismissed, told)

    def refused(self, error: HubError) -> None:
        """See `Peer.refused`."""
        if isinstance(error, LinkRedirected):
            return
        log.info(
            "amqp_refused",
            extra={"code": error.code, "detail": error.detail or str(error), "peer": self.channel.peer_address},
        )
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
        self._expiry = self.credentials.next_expiry()
        self._arm()

    def hang_up(self) -> None:
        """See `Holder.hang_up`."""
        if not self._closed:
            self.flush()
            self.channel.close()
            self.lost()

    # Steps.

    def _route(self, event: Event) -> None:
        if self._closed:
            return
        if isinstance(event, Delivered):
            if (node := self._nodes.get(event.link)) is not None:
                node.delivered(event.delivery)
                if node.overloaded:
                    self._busy.add(node)
        elif isinstance(event, Credited):
            if (node := self._nodes.get(event.link)) is not None:
                node.credited()
        elif isinstance(event, Settled):
            if (node := self._nodes.get(event.link)) is not None:
                node.settled(event)
        elif isinstance(event, Attached):
            self.spawn(self._open(event.link))
        elif isinstance(event, Detached):
            self._forget(event.link)
        elif isinstance(event, SaslInit):
            self._judging = True  # and what it says ahead of the verdict waits in the kernel
            self.spawn(self._log_in(event))
        elif isinstance(event, Opened):
            self._open_by = math.inf
        elif isinstance(event, Closed):
            self._ended(event)

    async def _open(self, link: Link) -> None:
        try:
            node = await self._opened(link)
        except HubError as refusal:
            link.refuse(link_error(refusal))
            self.credentials.drop(link)
            self.refused(refusal)
            self.soon_flush()
            return
        self._nodes[link] = node
        link.app = node
        if link.detached or self._closed:
            self._forget(link)
        elif isinstance(link, OutgoingLink) and (link.sendable or link.drain):
            node.credited()
        self.soon_flush()

    async def _opened(self, link: Link) -> Node:
        receives = isinstance(link, OutgoingLink)
        text = (link.source_address if receives else link.target_address) or ""
        address = parse_address(text, receiver=receives, event_stream=self.hub.names.event_stream)
        openers = OPENERS.get(type(address), _NOBODY)
        if isinstance(link, OutgoingLink) and openers.receiver is not None:
            return await openers.receiver(self, link, address)
        if isinstance(link, IncomingLink) and openers.sender is not None:
            return await openers.sender(self, link, address)
        raise AddressUnknown(f"no link can be attached to {text[:200]!a} in this direction")

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

    @property
    def _is_kept_open(self) -> bool:
        return any(node.keeps_open for node in self._nodes.values())

    def _dismissed(self, error: Error) -> None:
        """The client had its time to close; it may also have shown something good, and gone on."""
        self._dismissal = None
        if not self._is_kept_open:
            self.close(error)

    def _forget(self, link: Link) -> None:
        """The link is over: its node hears it, once."""
        node = self._nodes.pop(link, None)
        if node is not None:
            self._busy.discard(node)
            node.detached()
        self.credentials.drop(link)

    def _ended(self, event: Closed) -> None:
        if event.error is not None:
            log.info(
                "amqp_connection_ended",
                extra={"condition": event.error.condition, "reason": event.reason, "peer": self.channel.peer_address},
            )
        self.hang_up()

    def _run_after(self) -> None:
        while self._after:
            callbacks, self._after = self._after, []
            for callback in callbacks:
                callback()

    def _flush_now(self) -> None:
        self._flushing = False
        try:
            self._run_after()
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

    def _arm(self) -> None:
        """Set the one timer to what comes first: a sign of life that is due, or the end of a credential."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = math.inf
        if self._closed:
            return
        now = self.hub.clock.monotonic()
        at = self._open_by if self.wire.next_timeout is None else self.wire.next_timeout
        if self._expiry is not None:
            at = min(at, now + self._expiry - self.hub.clock.now())
        if at < math.inf:
            self._timer_at = at
            self._timer = asyncio.get_running_loop().call_later(max(0.0, at - now), self.on_timer)

    def on_timer(self) -> None:
        """The time of `_arm` has come: do what is due, and look again later."""
        self._timer = None
        if self._closed:
            return
        self.credentials.expire(self.hub.clock.now())
        self._expiry = self.credentials.next_expiry()
        now = self.hub.clock.monotonic()
        due = self.wire.next_timeout
        if now >= self._open_by or (due is not None and due <= now and self.wire.on_timeout(now)):
            log.info("amqp_peer_silent", extra={"peer": self.channel.peer_address})
            self.hang_up()
        self.flush()
        self._arm()
