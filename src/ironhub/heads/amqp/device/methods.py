"""Direct methods of one device: calls go out on one link, answers come in on the other."""

from collections import deque
from typing import Final

from ironhub.access.model import Permission
from ironhub.core.errors import HubError
from ironhub.dialects.azure.amqp_device_messages import decode_method_answer, encode_method_call
from ironhub.dialects.azure.amqp_errors import link_error
from ironhub.dialects.azure.amqp_reading import read_message
from ironhub.heads.amqp.device.session import DeviceSession
from ironhub.heads.amqp.node import SETTLED_TAG, SilentNode
from ironhub.messaging.methods.model import MethodAnswer
from ironhub.messaging.methods.service import MAX_CALLS_PER_DEVICE
from ironhub.wire.amqp import Delivery, IncomingLink, Outcome, OutgoingLink

ANSWER_CREDIT: Final = 2 * MAX_CALLS_PER_DEVICE


class CallsNode(SilentNode):
    """Takes calls to the device, as its credit allows; what waits longer than its caller is dropped unsent."""

    __slots__ = ("_key", "_link", "_session", "_waiting")

    def __init__(self, session: DeviceSession, link: OutgoingLink, key: str) -> None:
        session.grant(Permission.METHOD_ANSWER)
        self._session = session
        self._link = link
        self._key = key
        self._waiting: deque[bytes] = deque(maxlen=MAX_CALLS_PER_DEVICE)

    @property
    def link(self) -> OutgoingLink:
        """Its link."""
        return self._link

    def call(self, request_id: str, name: str, payload: bytes) -> None:
        """Send a call, now or once there is credit."""
        self._waiting.append(encode_method_call(correlation_of(self._session.mark, request_id), name, payload))
        self._pour()

    def credited(self) -> None:
        """There may be credit, or the device wants to know that there is nothing."""
        self._pour()
        if self._link.drain:
            self._link.drained()
            self._session.peer.soon_flush()

    def detached(self) -> None:
        """The device takes no more calls here."""
        self._session.calls.drop(self._key, self)
        self._session.drop(self)

    def _pour(self) -> None:
        while self._waiting and self._link.sendable > 0:
            self._link.send(self._waiting.popleft(), SETTLED_TAG, settled=True)
        self._session.peer.soon_flush()


class AnswersNode(SilentNode):
    """Takes the answers of the device to its callers."""

    __slots__ = ("_link", "_session")

    def __init__(self, session: DeviceSession, link: IncomingLink) -> None:
        session.grant(Permission.METHOD_ANSWER)
        self._session = session
        self._link = link

    def delivered(self, delivery: Delivery) -> None:
        """Hand an answer to whoever waits for it; nobody may, and that is no error of the device."""
        outcome, error = Outcome.ACCEPTED, None
        try:
            self._answer(delivery.payload)
        except HubError as refusal:
            outcome, error = Outcome.REJECTED, link_error(refusal)
        if not delivery.settled:
            self._link.settle(delivery.id, delivery.id, outcome, error)
        if self._link.credit <= ANSWER_CREDIT // 2:
            self._link.grant(ANSWER_CREDIT)

    def detached(self) -> None:
        """The device answers no more here."""
        self._session.drop(self)

    def _answer(self, payload: bytes) -> None:
        correlation, status, body = decode_method_answer(read_message(payload))
        request_id = request_id_of(self._session.mark, correlation)
        if request_id is not None:
            grant = self._session.grant(Permission.METHOD_ANSWER)
            self._session.hub.methods.answer(grant, request_id, MethodAnswer(status, body))


def correlation_of(mark: bytes, request_id: str) -> bytes:
    """Return the uuid that stands for a request of the method service in one session: the C SDK takes only a uuid.

    Request ids begin anew with the hub, and a device may answer late: the session's mark tells its calls apart.
    """
    return mark + int(request_id, 16).to_bytes(8, "big")


def request_id_of(mark: bytes, correlation: bytes) -> str | None:
    """Return what `correlation_of` made the uuid of; None: it belongs to another session."""
    if len(correlation) != 16 or correlation[:8] != mark:
        return None
    return f"{int.from_bytes(correlation[8:], 'big'):x}"
