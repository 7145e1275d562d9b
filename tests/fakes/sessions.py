"""A connected device without a connection: it notes what it is told, and answers when the test says so."""

from collections.abc import Callable
from typing import NamedTuple

from tests.fakes.grants import device_principal

from ironhub.core.ids import Identity
from ironhub.identity.model import DevicePrincipal, Proof


class MethodCalled(NamedTuple):
    """A direct method call that reached the device."""

    request_id: str
    name: str
    payload: bytes


class FakeSession:
    """Implements messaging.sessions.ports.LiveSession."""

    def __init__(
        self, who: Identity, *, proof: Proof = Proof.OWN_KEY, policy: str | None = None, answers_methods: bool = True
    ) -> None:
        self.principal: DevicePrincipal = device_principal(who, proof=proof, policy=policy)
        self.opened_at = 0.0
        self.chain: tuple[bytes, ...] = ()
        self.answers_methods = answers_methods
        self.ends: list[str] = []
        """The reason of each end; a real one ends once."""
        self.on_end: Callable[[], None] = lambda: None
        """What its head does when the connection is closed."""
        self.offers = 0
        """How often it was told that commands wait."""
        self.desired: list[tuple[int, dict[str, object]]] = []
        self.calls: list[MethodCalled] = []

    def end(self, reason: str) -> None:
        """Note the reason."""
        self.ends.append(reason)
        self.on_end()

    def offer_commands(self) -> None:
        """Count it."""
        self.offers += 1

    def offer_desired(self, version: int, patch: dict[str, object]) -> None:
        """Note it."""
        self.desired.append((version, patch))

    def call_method(self, request_id: str, name: str, payload: bytes) -> None:
        """Note it."""
        self.calls.append(MethodCalled(request_id, name, payload))
