"""What commands need of a store."""

from collections.abc import Sequence
from typing import Protocol

from ironhub.core.ids import Identity
from ironhub.messaging.commands.model import Command, CommandDraft, Delivery, Feedback, Outcome


class CommandStore(Protocol):
    """Where command queues live. Whatever implements it passes tests/contracts/test_command_store.py.

    Every write is durable when it returns. A settled, expired or purged command leaves a feedback record, in the same
    transaction, when its `ack` asks for that outcome.
    """

    async def add_command(
        self,
        identity: Identity,
        draft: CommandDraft,
        *,
        message_id: str,
        now: float,
        expires_at: float,
        max_pending: int,
    ) -> Command:
        """Queue a command. Raises DeviceNotFound, ModuleNotFound, QueueFull (nothing was queued)."""

    async def lock_commands(
        self, identity: Identity, *, now: float, locked_until: float | None, owner: str, limit: int
    ) -> list[Delivery]:
        """Hand out the oldest commands that nobody holds and that have not expired, at most `limit`, in order.

        Args:
            locked_until: when the lock ends by itself; None: with `release_commands(owner)` only.
            owner: names the holder, e.g. a session; empty under a timed lock: nobody's, and time alone ends it.

        What is held does not expire until it is let go. A timed lock is void from `locked_until` on, and the command
        is handed out again once `expire_commands` has ended it.
        """

    async def complete_command(self, identity: Identity, lock_token: str, *, now: float, outcome: Outcome) -> None:
        """Remove the command for good (SUCCESS or REJECTED). Raises LockLost, which changes nothing."""

    async def abandon_command(
        self, identity: Identity, lock_token: str, *, now: float, max_delivery_count: int, counted: bool
    ) -> None:
        """Put it back in its place; `counted`: as one more delivery that came to nothing, and dead-letter it when
        those are `max_delivery_count`. Raises LockLost."""

    async def release_commands(self, owner: str | None, *, now: float) -> int:
        """End the locks that `owner` holds (None: each that has an owner; the hub starts). Uncounted."""

    async def expire_commands(self, *, now: float, max_delivery_count: int, limit: int) -> list[Identity]:
        """Look at the `limit` commands that are longest due: drop those past their expiry that nobody holds, end timed
        locks that ran out (as `abandon_command` counted); return the identities that have something to receive again.
        Forgets expired feedback besides. Cost follows what is due, not the queues."""

    async def purge_commands(self, identity: Identity, *, now: float) -> int:
        """Remove all commands of this queue, held or not; returns how many. Raises DeviceNotFound, ModuleNotFound."""

    async def count_commands(self, identity: Identity) -> int:
        """Return how many commands wait or are held."""

    async def next_due(self) -> float | None:
        """Return when the next command expires or timed lock ends; None: never."""

    async def list_feedback(self, *, after: int, limit: int, now: float) -> list[Feedback]:
        """Return unexpired feedback records with ids above `after`, in order."""

    async def drop_feedback(self, up_to: int) -> None:
        """Forget feedback records with ids up to and including `up_to`."""

    async def drop_feedback_records(self, record_ids: Sequence[int]) -> None:
        """Forget these feedback records; no error when one is gone."""
