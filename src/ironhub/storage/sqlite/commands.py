"""Command queues in SQLite."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ironhub.core.clock import Entropy
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.messaging.commands.model import Command, CommandDraft, Delivery, Feedback, LockLost, Outcome, QueueFull
from ironhub.registry.model import DeviceNotFound, ModuleNotFound
from ironhub.storage.sqlite import command_statements as statements
from ironhub.storage.sqlite.command_endings import Ending, Endings
from ironhub.storage.sqlite.command_rows import command_of, command_values, feedback_of
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.statements import key_of
from ironhub.storage.sqlite.transaction import Transaction

_SOON: Final = 1000
"""Expired feedback records that are dropped in one sweep."""


class SqliteCommandStore:
    """A CommandStore over the tables commands and feedback."""

    def __init__(self, database: Database, entropy: Entropy, *, feedback_ttl: float) -> None:
        self._database = database
        self._entropy = entropy
        self._endings = Endings(feedback_ttl)

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
        command = Command(
            identity=identity,
            sequence_number=0,
            message_id=message_id,
            body=draft.body,
            enqueued_at=now,
            expires_at=expires_at,
            ack=draft.ack,
            correlation_id=draft.correlation_id,
            user_id=draft.user_id,
            content_type=draft.content_type,
            content_encoding=draft.content_encoding,
            properties=dict(draft.properties),
        )
        values = command_values(command)

        def work(tx: Transaction) -> int:
            _check_registered(tx, identity)
            if _count(tx, identity) >= max_pending:
                raise QueueFull(f"{identity} has {max_pending} pending commands already")
            return int(tx.all(statements.ADD, values)[0][0])

        return replace(command, sequence_number=await self._database.write(work))

    async def lock_commands(
        self, identity: Identity, *, now: float, locked_until: float | None, owner: str, limit: int
    ) -> list[Delivery]:
        """Hand out the oldest commands that nobody holds and that have not expired, at most `limit`, in order.

        Most queues are empty when somebody connects, so a look comes first: it costs no turn of the writer.
        """
        free = key_of(identity) | {"now": now, "limit": limit}
        found = await self._database.read(lambda tx: len(tx.all(statements.FREE, free)))
        if not found:
            return []
        tokens = [self._entropy.uuid() for _ in range(found)]
        free["limit"] = found
        lock = {
            "lock_owner": owner if locked_until is None else owner or None,
            "locked_until": locked_until,
            "due_at": locked_until,
        }

        def work(tx: Transaction) -> list[Delivery]:
            commands = [command_of(row) for row in tx.all(statements.FREE_COMMANDS, free)]
            deliveries = [
                Delivery(command=command, lock_token=token)
                for command, token in zip(commands, tokens, strict=False)  # some may be gone since the look
            ]
            for delivery in deliveries:
                it = {"of_sequence_number": delivery.command.sequence_number, "lock_token": delivery.lock_token}
                tx.change(statements.LOCK, lock | it)
            return deliveries

        return await self._database.write(work)

    async def complete_command(self, identity: Identity, lock_token: str, *, now: float, outcome: Outcome) -> None:
        """Remove the command for good (SUCCESS or REJECTED). Raises LockLost, which changes nothing."""
        await self._database.write(
            lambda tx: self._endings.remove(tx, _held(tx, identity, lock_token, now), now, outcome)
        )

    async def abandon_command(
        self, identity: Identity, lock_token: str, *, now: float, max_delivery_count: int, counted: bool
    ) -> None:
        """Put it back in its place; `counted`: dead-letter it when handed out often enough. Raises LockLost."""

        def work(tx: Transaction) -> None:
            ending = _held(tx, identity, lock_token, now)
            if counted:
                self._endings.put_back(tx, ending, now, max_delivery_count)
            else:
                self._endings.unlock(tx, ending, ending.delivery_count)

        await self._database.write(work)

    async def release_commands(self, owner: str | None, *, now: float) -> int:
        """End the locks that `owner` holds (None: each that has an owner; the hub starts). Uncounted.

        It waits its turn with the writer even when nothing is held: a lock that was asked for before comes before it.
        """
        statement = statements.RELEASE_ALL if owner is None else statements.RELEASE
        return await self._database.write(lambda tx: tx.change(statement, {"owner": owner}))

    async def expire_commands(self, *, now: float, max_delivery_count: int, limit: int) -> list[Identity]:
        """Drop what expired, end timed locks that ran out; returns who has something to receive again."""

        def work(tx: Transaction) -> list[Identity]:
            tx.change(statements.EXPIRE_FEEDBACK, {"now": now, "limit": _SOON})
            again: dict[Identity, None] = {}
            for *row, lock_token in tx.all(statements.DUE, {"now": now, "limit": limit}):
                ending = Ending.of_row(row)
                if lock_token is None:
                    self._endings.remove(tx, ending, now, Outcome.EXPIRED)
                elif self._endings.put_back(tx, ending, now, max_delivery_count):
                    again[ending.identity] = None
            return list(again)

        return await self._database.write(work)

    async def purge_commands(self, identity: Identity, *, now: float) -> int:
        """Remove all commands of this queue; returns how many. Raises DeviceNotFound, ModuleNotFound."""

        def work(tx: Transaction) -> int:
            _check_registered(tx, identity)
            rows = tx.all(statements.QUEUE, key_of(identity))
            for row in rows:
                self._endings.remove(tx, Ending.of_row(row), now, Outcome.PURGED)
            return len(rows)

        return await self._database.write(work)

    async def count_commands(self, identity: Identity) -> int:
        """Return how many commands wait or are held."""
        return await self._database.read(lambda tx: _count(tx, identity))

    async def next_due(self) -> float | None:
        """Return when the next command expires or timed lock ends; None: never."""
        row = await self._database.read(lambda tx: tx.one(statements.NEXT_DUE, {}))
        return None if row is None else row[0]

    async def list_feedback(self, *, after: int, limit: int, now: float) -> list[Feedback]:
        """Return unexpired feedback records with ids above `after`, in order."""
        values = {"after": after, "limit": limit, "now": now}
        rows = await self._database.read(lambda tx: tx.all(statements.LIST_FEEDBACK, values))
        return [feedback_of(row) for row in rows]

    async def drop_feedback(self, up_to: int) -> None:
        """Forget feedback records with ids up to and including `up_to`."""
        await self._database.write(lambda tx: tx.change(statements.DROP_FEEDBACK, {"up_to": up_to}))

    async def drop_feedback_records(self, record_ids: Sequence[int]) -> None:
        """Forget these feedback records; no error when one is gone."""
        rows = [{"record_id": record_id} for record_id in record_ids]
        await self._database.write(lambda tx: tx.change_each(statements.DROP_RECORD, rows))


def _check_registered(tx: Transaction, identity: Identity) -> None:
    if tx.one(statements.GENERATION, key_of(identity)) is not None:
        return
    missing: HubError = DeviceNotFound(f"{identity.device_id} is not registered")
    if tx.one(statements.GENERATION, key_of(Identity(identity.device_id))) is not None:
        missing = ModuleNotFound(f"{identity} is not registered")
    raise missing


def _count(tx: Transaction, identity: Identity) -> int:
    row = tx.one(statements.COUNT, key_of(identity))
    return 0 if row is None else int(row[0])


def _held(tx: Transaction, identity: Identity, lock_token: str, now: float) -> Ending:
    row = tx.one(statements.HELD, key_of(identity) | {"held_with": lock_token, "now": now})
    if row is None:
        raise LockLost("the lock has ended")
    return Ending.of_row(row)
