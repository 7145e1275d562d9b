"""Notices between the parts of a hub, and later between its nodes: who must know that something changed."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ironhub.core.ids import Identity


class CredentialsChanged(NamedTuple):
    """A device or module was disabled, deleted or re-keyed: its live sessions, and caches of it, end now.

    A device's change reaches its modules too when `whole_device` is set.
    """

    identity: Identity
    whole_device: bool


class AuthoritiesChanged(NamedTuple):
    """The set of registered CAs or their revocation lists changed; sessions that rest on them are judged anew."""


class PolicyChanged(NamedTuple):
    """A shared access policy's keys or rights changed; sessions that rest on it end."""

    name: str


class DesiredChanged(NamedTuple):
    """Desired properties changed: the connected device is told."""

    identity: Identity
    version: int
    patch: dict[str, object]
    """The changed subtree as a merge patch; a removed key is None."""


class CommandQueued(NamedTuple):
    """A command waits for this identity."""

    identity: Identity


class CommandsEnded(NamedTuple):
    """Commands were settled, expired or purged: there may be feedback that was not there before."""

    identity: Identity | None
    """Whose commands; None: of anybody."""


class JobsChanged(NamedTuple):
    """A job was created or has ended: whoever runs jobs looks again."""

    ended: int | None
    """The number of the job that has ended; None: one was created."""


Notice = (
    CredentialsChanged
    | AuthoritiesChanged
    | PolicyChanged
    | DesiredChanged
    | CommandQueued
    | CommandsEnded
    | JobsChanged
)


class Bus(Protocol):
    """Delivers each notice to every subscriber, in order, soon. Whatever implements it passes contracts/test_bus.py."""

    def publish(self, notice: Notice) -> None:
        """Tell everybody; called after the change was committed, from the event loop's thread. Never raises."""

    def subscribe(self, handler: Callable[[Notice], None]) -> Callable[[], None]:
        """Call `handler` with each notice until the returned function is called. A handler must not block."""
