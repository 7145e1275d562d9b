"""Command queues in memory."""

from collections.abc import Sequence
from dataclasses import replace

from ironhub.core.clock import Entropy
from ironhub.core.ids import Identity
from ironhub.messaging.commands.model import Command, CommandDraft, Delivery, Feedback, LockLost, Outcome, QueueFull
from ironhub.registry.model import Device, DeviceNotFound, Module, ModuleNotFound
from ironhub.storage.feedback import asks_for
from ironhub.storage.memory.state import Lock, Queued, State


class MemoryCommandStore:
    """A CommandStore in dictionaries."""

    def __init__(self, state: State, entropy: Entropy, *, feedback_ttl: float) -> None:
        self._state = state
        self._entropy = entropy
        self._feedback_ttl = feedback_ttl

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
        self._registered(identity)
        if len(self._state.queue(identity)) >= max_pending:
            raise QueueFull(f"{identity} has {max_pending} pending commands already")
        self._state.last_sequence_number += 1
        command = Command(
            identity=identity,
            sequence_number=self._state.last_sequence_number,
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
        self._state.commands[command.sequence_number] = Queued(command)
        return command

    async def lock_commands(
        self, identity: Identity, *, now: float, locked_until: float | None, owner: str, limit: int
    ) -> list[Delivery]:
        """Hand out the oldest commands that nobody holds and that have not expired, at most `limit`, in order."""
        queue = self._state.queue(identity)
        free = [queued for queued in queue if queued.lock is None and queued.command.expires_at > now]
        deliveries = []
        for queued in free[:limit]:
            queued.lock = Lock(self._entropy.uuid(), owner, locked_until)
            deliveries.append(Delivery(command=queued.command, lock_token=queued.lock.token))
        return deliveries

    async def complete_command(self, identity: Identity, lock_token: str, *, now: float, outcome: Outcome) -> None:
        """Remove the command for good (SUCCESS or REJECTED). Raises LockLost, which changes nothing."""
        self._remove(self._held(identity, lock_token, now), now, outcome)

    async def abandon_command(
        self, identity: Identity, lock_token: str, *, now: float, max_delivery_count: int, counted: bool
    ) -> None:
        """Put it back in its place; `counted`: dead-letter it when handed out often enough. Raises LockLost."""
        queued = self._held(identity, lock_token, now)
        if counted:
            self._put_back(queued, now, max_delivery_count)
        else:
            queued.lock = None

    async def release_commands(self, owner: str | None, *, now: float) -> int:
        """End the locks that `owner` holds (None: each that has an owner; the hub starts). Uncounted."""
        released = 0
        for queued in self._state.commands.values():
            lock = queued.lock
            if lock is None or (lock.until is not None and not lock.owner):
                continue  # free, or under a lock that only time ends
            if owner in (None, lock.owner):
                queued.lock = None
                released += 1
        return released

    async def expire_commands(self, *, now: float, max_delivery_count: int, limit: int) -> list[Identity]:
        """Drop what expired, end timed locks that ran out; returns who has something to receive again."""
        state = self._state
        state.feedback = {key: record for key, record in state.feedback.items() if record.expires_at > now}
        due = [(at, queued) for queued in state.commands.values() if (at := queued.due_at) is not None and at <= now]
        due.sort(key=lambda pair: (pair[0], pair[1].command.sequence_number))
        again: dict[Identity, None] = {}
        for _, queued in due[:limit]:
            if queued.lock is None:
                self._remove(queued, now, Outcome.EXPIRED)
            elif self._put_back(queued, now, max_delivery_count):
                again[queued.command.identity] = None
        return list(again)

    async def purge_commands(self, identity: Identity, *, now: float) -> int:
        """Remove all commands of this queue; returns how many. Raises DeviceNotFound, ModuleNotFound."""
        self._registered(identity)
        queue = self._state.queue(identity)
        for queued in queue:
            self._remove(queued, now, Outcome.PURGED)
        return len(queue)

    async def count_commands(self, identity: Identity) -> int:
        """Return how many commands wait or are held."""
        return len(self._state.queue(identity))

    async def next_due(self) -> float | None:
        """Return when the next command expires or timed lock ends; None: never."""
        return min((at for queued in self._state.commands.values() if (at := queued.due_at) is not None), default=None)

    async def list_feedback(self, *, after: int, limit: int, now: float) -> list[Feedback]:
        """Return unexpired feedback records with ids above `after`, in order."""
        records = [record for key, record in self._state.feedback.items() if key > after and record.expires_at > now]
        return records[:limit]

    async def drop_feedback(self, up_to: int) -> None:
        """Forget feedback records with ids up to and including `up_to`."""
        self._state.feedback = {key: record for key, record in self._state.feedback.items() if key > up_to}

    async def drop_feedback_records(self, record_ids: Sequence[int]) -> None:
        """Forget these feedback records; no error when one is gone."""
        for record_id in record_ids:
            self._state.feedback.pop(record_id, None)

    def _registered(self, identity: Identity) -> Device | Module:
        if identity.device_id not in self._state.devices:
            raise DeviceNotFound(f"{identity.device_id} is not registered")
        found = self._state.identity(identity)
        if found is None:
            raise ModuleNotFound(f"{identity} is not registered")
        return found

    def _held(self, identity: Identity, lock_token: str, now: float) -> Queued:
        for queued in self._state.queue(identity):
            lock = queued.lock
            if lock is not None and lock.token == lock_token and (lock.until is None or lock.until > now):
                return queued
        raise LockLost("the lock has ended")

    def _put_back(self, queued: Queued, now: float, max_delivery_count: int) -> bool:
        """Count a delivery that came to nothing; False: it was one too many, or the command has expired meanwhile."""
        count = queued.command.delivery_count + 1
        queued.command, queued.lock = replace(queued.command, delivery_count=count), None
        if count >= max_delivery_count:
            self._remove(queued, now, Outcome.DELIVERY_COUNT_EXCEEDED)
            return False
        return queued.command.expires_at > now

    def _remove(self, queued: Queued, now: float, outcome: Outcome) -> None:
        command = self._state.commands.pop(queued.command.sequence_number).command
        if asks_for(command.ack, outcome):
            self._state.last_record_id += 1
            self._state.feedback[self._state.last_record_id] = Feedback(
                record_id=self._state.last_record_id,
                identity=command.identity,
                generation_id=self._registered(command.identity).generation_id,
                message_id=command.message_id,
                outcome=outcome,
                at=now,
                expires_at=now + self._feedback_ttl,
            )
