"""One device or module on one connection: all of its links, and what the rest of the hub asks of it.

What it protects: an identity has one session in the hub, whatever protocols it speaks. Who loses the right, or is taken
over by a newer connection, loses every link here at once, and other identities on the same connection lose nothing.
"""

import logging
from typing import Final, Protocol

from ironhub.access.model import Grant, Permission
from ironhub.access.service import authorise
from ironhub.heads.amqp.credential import DeviceCredential
from ironhub.heads.amqp.device.pairs import Pairs
from ironhub.heads.amqp.node import Node
from ironhub.heads.amqp.peer import Peer
from ironhub.heads.amqp.services import AmqpServices
from ironhub.identity.model import DevicePrincipal
from ironhub.messaging.telemetry.model import Encoding
from ironhub.messaging.telemetry.service import Uplink
from ironhub.wire.amqp import OutgoingLink

log: Final = logging.getLogger(__name__)


class TakesCommands(Protocol):
    """A link on which the device receives commands."""

    def wake(self) -> None:
        """Something may wait in the queue."""


class TakesCalls(Protocol):
    """A link on which the device receives method calls."""

    @property
    def link(self) -> OutgoingLink:
        """It."""

    def call(self, request_id: str, name: str, payload: bytes) -> None:
        """Send a call."""


class TakesReplies(Protocol):
    """A link on which the device receives answers to twin requests, and notices if it asked for them."""

    @property
    def link(self) -> OutgoingLink:
        """It."""

    @property
    def has_room(self) -> bool:
        """Whether one more answer may be made."""

    def send(self, message: bytes) -> None:
        """Send an answer, now or once there is credit."""

    def observe(self, wanted: bool) -> None:
        """The device asks for notices, or for none any more."""

    def tell(self, version: int, patch: dict[str, object]) -> None:
        """The desired properties have changed."""


class Asks(Protocol):
    """A link on which the device sends twin requests."""

    def go_on(self) -> None:
        """There may be a link for answers now, or room on it."""


class DeviceSession:
    """The LiveSession of an identity whose links are on this connection. It begins and ends with them."""

    __slots__ = (
        "_entered",
        "_nodes",
        "_uplink",
        "calls",
        "commands",
        "credential",
        "ended",
        "hub",
        "mark",
        "model_id",
        "opened_at",
        "peer",
        "replies",
        "requests",
    )

    def __init__(self, peer: Peer, credential: DeviceCredential, model_id: str) -> None:
        self.peer = peer
        self.hub: AmqpServices = peer.hub
        self.credential = credential
        self.model_id = model_id
        self.opened_at = self.hub.clock.monotonic()
        self.mark = self.hub.entropy.token_bytes(8)
        """Of what is sent to the device and awaits an answer: one that belongs to another session is known by it."""
        self.ended = False
        """No link may be added any more."""
        self.commands: set[TakesCommands] = set()
        self.calls: Pairs[TakesCalls] = Pairs()
        self.replies: Pairs[TakesReplies] = Pairs()
        self.requests: set[Asks] = set()
        self._nodes: set[Node] = set()
        self._uplink: Uplink | None = None
        self._entered: DevicePrincipal | None = None
        """Who the hub believes this session to be."""

    # What the hub asks of a connected device (messaging.sessions.ports.LiveSession)

    @property
    def principal(self) -> DevicePrincipal:
        """Who it is, as the gate found at the last renewal."""
        return self.credential.principal

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates it showed, DER, leaf first."""
        return self.peer.channel.peer_chain

    @property
    def revoked(self) -> bool:
        """What it asked for and was not done yet is not done any more: also when a policy or a token's time ended."""
        return self.credential.revoked

    @property
    def answers_methods(self) -> bool:
        """Whether it has a link that takes calls."""
        return bool(self.calls) and not self.peer.closed

    def end(self, reason: str) -> None:
        """Detach its links, and close the connection unless somebody else has links on it."""
        if self.ended:
            return
        self.ended = True
        log.info("amqp_session_ended", extra={"device": str(self.principal.identity), "reason": reason})
        self.peer.credentials.end(self.credential, reason)

    def offer_commands(self) -> None:
        """Something waits in the command queue: fetch it if the device listens."""
        for node in tuple(self.commands):
            node.wake()

    def offer_desired(self, version: int, patch: dict[str, object]) -> None:
        """Tell the device of a change of its desired properties, where it asked to be told."""
        for node in tuple(self.replies):
            node.tell(version, patch)

    def call_method(self, request_id: str, name: str, payload: bytes) -> None:
        """Send the call on the newest link that takes calls."""
        node = self.calls.newest
        if node is not None:
            node.call(request_id, name, payload)

    # What its links need

    def enter(self) -> None:
        """Become the session of the identity in this hub, or say who one is now; `end` may follow at once.

        Also called with each renewal: from there on it is what is revoked of the new token that ends the session.
        """
        if self._entered == self.principal:
            return
        if self._entered is None:
            self.credential.watch(self.enter)
        self._entered = self.principal
        self._uplink = None
        self.hub.sessions.enter(self, judged_at=self.credential.judged_at, model_id=self.model_id)

    def add(self, node: Node) -> None:
        """A link was opened."""
        self._nodes.add(node)

    def drop(self, node: Node) -> None:
        """A link is over; with the last one the session is."""
        self._nodes.discard(node)
        if not self._nodes:
            self.leave()

    def leave(self) -> None:
        """The identity has no link here any more."""
        self.ended = True
        self.credential.unwatch(self.enter)
        self.hub.sessions.leave(self)
        self.hub.methods.lost(self.principal.identity)

    def grant(self, permission: Permission) -> Grant:
        """Return the proof that the device may do this to itself."""
        return authorise(self.principal, permission, self.principal.identity)

    @property
    def uplink(self) -> Uplink:
        """The way into the log, as of the last renewal."""
        if self._uplink is None:
            grant = self.grant(Permission.TELEMETRY_SEND)
            self._uplink = self.hub.telemetry.uplink(grant, Encoding.AZURE_AMQP, model_id=self.model_id)
        return self._uplink
