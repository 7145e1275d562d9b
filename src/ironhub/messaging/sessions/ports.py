"""What sessions need of a store, and what the rest of the hub may ask of a connected device."""

from typing import Final, Protocol

from ironhub.core.ids import Identity
from ironhub.identity.model import DevicePrincipal
from ironhub.messaging.sessions.model import StoredSession

HUB_STOPS: Final = "the hub stops"
"""The reason for an end that is no fault of the device: no last will is published for it."""

TAKEN_OVER: Final = "taken over by a newer connection"
"""The reason for an end by which nobody lost a right: what the device asked for before it is still done."""


class SessionStore(Protocol):
    """Where persistent sessions live. Whatever implements it passes tests/contracts/test_session_store.py."""

    async def get_session(self, identity: Identity) -> StoredSession | None:
        """Return what the last connection left, or None."""

    async def put_session(self, session: StoredSession) -> None:
        """Store it durably, replacing what was there; dropped silently when the identity is gone."""

    async def delete_session(self, identity: Identity) -> None:
        """Forget it; no error when there is none."""


class LiveSession(Protocol):
    """A connected device, as the services see it. Implemented by the protocol heads."""

    @property
    def principal(self) -> DevicePrincipal:
        """Who it is, as the gate found."""

    @property
    def opened_at(self) -> float:
        """When it began, monotonic seconds: who takes over a very young one may have to wait."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates it showed in the TLS handshake, DER, leaf first; empty: none."""

    def end(self, reason: str) -> None:
        """Close the connection at once; `reason` is for the log. Harmless when it is closed already."""

    def offer_commands(self) -> None:
        """Something waits in the command queue: fetch it if the device listens."""

    def offer_desired(self, version: int, patch: dict[str, object]) -> None:
        """Tell the device of a change of its desired properties, if it listens."""

    @property
    def answers_methods(self) -> bool:
        """Whether it has subscribed to direct methods."""

    def call_method(self, request_id: str, name: str, payload: bytes) -> None:
        """Send the call; the answer comes to MethodService.answer under the same request id."""


class PresenceSink(Protocol):
    """Who wants to know that somebody came or went."""

    def came(self, identity: Identity, model_id: str = "") -> None:
        """It is connected, and announces a plug-and-play model unless it is empty; before, it was not."""

    def went(self, identity: Identity) -> None:
        """It is not connected any more."""
