"""Who opens the links of devices and modules: the identity that the address names must be the one that was shown.

What it protects: the properties of a link may belong to another link of the same client, so they decide nothing but
which answers go where. A link is accepted only after the hub knows the session it belongs to.
"""

from typing import ClassVar, Final

from ironhub.core.errors import HubError, Unavailable
from ironhub.core.ids import Identity
from ironhub.dialects.azure.amqp_addresses import (
    DeviceCommands,
    DeviceMethods,
    DeviceTelemetry,
    DeviceTwin,
    ModuleInputs,
)
from ironhub.heads.admission import Admission, delay_takeover
from ironhub.heads.amqp.device import methods, telemetry, twin
from ironhub.heads.amqp.device.commands import CommandsNode
from ironhub.heads.amqp.device.methods import AnswersNode, CallsNode
from ironhub.heads.amqp.device.pairs import key_of
from ironhub.heads.amqp.device.session import DeviceSession, TakesCalls, TakesReplies
from ironhub.heads.amqp.device.telemetry import TelemetryNode
from ironhub.heads.amqp.device.twin import RepliesNode, RequestsNode
from ironhub.heads.amqp.node import Node, SilentNode
from ironhub.heads.amqp.opening import Openers
from ironhub.heads.amqp.peer import Peer
from ironhub.wire.amqp import Error, IncomingLink, OutgoingLink
from ironhub.wire.amqp.conditions import LINK_STOLEN

Link = IncomingLink | OutgoingLink

MODEL_ID: Final = "com.microsoft:model-id"
"""The link property in which a device announces its plug-and-play model."""
MAX_MODEL_ID: Final = 2048
MAX_OF_A_KIND: Final = 8
"""Links of one kind that an identity may have on a connection; clients open one."""


class TooManyLinks(HubError):
    """The device has more links to one address than it can have a use for."""

    code: ClassVar[str] = "link.too_many"
    status: ClassVar[int] = 429
    next_step: ClassVar[str] = "Detach a link before another one is attached to the same address."


class InputsNode(SilentNode):
    """The link on which a module would get what an edge gateway routes to its inputs; a hub routes nothing there."""

    __slots__ = ("_session",)

    def __init__(self, session: DeviceSession) -> None:
        self._session = session

    def detached(self) -> None:
        """The module listens no more."""
        self._session.drop(self)


async def open_telemetry(peer: Peer, link: IncomingLink, address: DeviceTelemetry) -> Node:
    """Let a device or module send telemetry."""
    session = await _session(peer, link, address.identity)
    node = TelemetryNode(session, link)
    session.add(node)
    link.accept(telemetry.CREDIT, peer.hub.settings.max_body, telemetry.TOLERATED)
    return node


async def open_commands(peer: Peer, link: OutgoingLink, address: DeviceCommands) -> Node:
    """Let a device or module receive commands."""
    session = await _session(peer, link, address.identity)
    _check_number(len(session.commands))
    node = CommandsNode(session, link)
    session.commands.add(node)
    session.add(node)
    link.accept()
    return node


async def open_inputs(peer: Peer, link: OutgoingLink, address: ModuleInputs) -> Node:
    """Let a module listen on its inputs."""
    session = await _session(peer, link, address.identity)
    node = InputsNode(session)
    session.add(node)
    link.accept()
    return node


async def open_calls(peer: Peer, link: OutgoingLink, address: DeviceMethods) -> Node:
    """Let a device or module receive method calls."""
    session = await _session(peer, link, address.identity)
    key = key_of(link.properties)
    _check_number(len(session.calls))
    node = CallsNode(session, link, key)
    session.add(node)
    _replace(session, session.calls.add(key, node))
    link.accept()
    peer.hub.sessions.listens(address.identity)
    return node


async def open_answers(peer: Peer, link: IncomingLink, address: DeviceMethods) -> Node:
    """Let a device or module answer method calls."""
    session = await _session(peer, link, address.identity)
    node = AnswersNode(session, link)
    session.add(node)
    link.accept(methods.ANSWER_CREDIT, peer.hub.settings.max_body)
    return node


async def open_replies(peer: Peer, link: OutgoingLink, address: DeviceTwin) -> Node:
    """Let a device or module receive answers and notices about its twin."""
    session = await _session(peer, link, address.identity)
    key = key_of(link.properties)
    _check_number(len(session.replies))
    node = RepliesNode(session, link, key)
    session.add(node)
    _replace(session, session.replies.add(key, node))
    link.accept()
    for waiting in tuple(session.requests):
        waiting.go_on()
    return node


async def open_requests(peer: Peer, link: IncomingLink, address: DeviceTwin) -> Node:
    """Let a device or module ask for its twin and change it."""
    session = await _session(peer, link, address.identity)
    _check_number(len(session.requests))
    node = RequestsNode(session, link, key_of(link.properties))
    session.requests.add(node)
    session.add(node)
    link.accept(twin.CREDIT, peer.hub.settings.max_body)
    return node


OPENERS: Final[dict[type, Openers]] = {
    DeviceTelemetry: Openers(sender=open_telemetry),
    DeviceCommands: Openers(receiver=open_commands),
    ModuleInputs: Openers(receiver=open_inputs),
    DeviceMethods: Openers(sender=open_answers, receiver=open_calls),
    DeviceTwin: Openers(sender=open_requests, receiver=open_replies),
}


async def _session(peer: Peer, link: Link, identity: Identity) -> DeviceSession:
    """Return the session of `identity` on this connection; the first link begins it, and ends any other of it."""
    hub = peer.hub
    admission = await Admission.begin(hub.sessions, lambda: peer.credentials.device(identity))
    if _own_session(peer, identity) is None:
        await delay_takeover(hub.sessions.of(identity), hub.clock, hub.settings.takeover_delay)
    await admission.renew(lambda: peer.closed)
    if peer.closed or link.detached:
        raise Unavailable("the link was over before it was opened")
    admission.found.hold(link)
    session = _own_session(peer, identity) or DeviceSession(peer, admission.found, _model_id(link))
    session.enter()
    if session.ended:
        raise Unavailable("the hub stops")
    return session


def _own_session(peer: Peer, identity: Identity) -> DeviceSession | None:
    session = peer.hub.sessions.of(identity)
    return session if isinstance(session, DeviceSession) and session.peer is peer else None


def _model_id(link: Link) -> str:
    model_id = link.properties.get(MODEL_ID)
    return model_id if isinstance(model_id, str) and len(model_id) <= MAX_MODEL_ID else ""


def _replace(session: DeviceSession, before: TakesCalls | TakesReplies | None) -> None:
    """Two links that are paired with the same one: the newer takes the place of the older."""
    if before is not None:
        session.peer.detach(before.link, Error(LINK_STOLEN, "a newer link of the same pair was attached"))


def _check_number(number: int) -> None:
    if number >= MAX_OF_A_KIND:
        raise TooManyLinks(f"the device has {number} such links already")
