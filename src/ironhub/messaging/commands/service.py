"""Commands out: queue, hand out, settle, expire."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import Bus, CommandQueued, CommandsEnded
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import Identity
from ironhub.core.tally import Tally
from ironhub.messaging.commands.model import (
    MAX_TEXT,
    Command,
    CommandDraft,
    CommandSettings,
    CommandTooLarge,
    Delivery,
    ExpiryInvalid,
    Feedback,
    Outcome,
)
from ironhub.messaging.commands.ports import CommandStore

log: Final = logging.getLogger(__name__)

SWEEP_BATCH: Final = 500
MAX_SWEEP_PAUSE: Final = 30.0
"""Seconds between two looks at what expires, when nothing is known to be due earlier."""
RETRY_AFTER: Final = 1.0
MAX_UNRELEASED: Final = 50_000
"""Sessions whose release is remembered while the store is out of order. The first to come held something before it
broke; who comes later could hold nothing any more, so beyond this they are not remembered."""

T = TypeVar("T")
Step = Callable[[], Awaitable[None]]


class CommandService:
    """The command queues of all devices and modules. Every answer comes after the change is durable."""

    def __init__(
        self, store: CommandStore, bus: Bus, clock: Clock, entropy: Entropy, settings: CommandSettings | None = None
    ) -> None:
        self.tally = Tally()
        """"queued", "purged" and the outcomes that devices settled."""
        self._store = store
        self._bus = bus
        self._clock = clock
        self._entropy = entropy
        self._settings = settings or CommandSettings()
        self._earlier = asyncio.Event()
        self._looks_at = math.inf
        self._fresh = False
        self._freshening = asyncio.Lock()
        self._unreleased: dict[str, Identity] = {}

    async def send(self, grant: Grant, draft: CommandDraft) -> Command:
        """Queue a command for `grant.identity` and return it as stored.

        Raises:
            DeviceNotFound, ModuleNotFound, QueueFull, CommandTooLarge, ExpiryInvalid, InvalidArgument.
        """
        grant.require(Permission.COMMAND_SEND)
        now = self._clock.now()
        expires_at = self._expiry(draft, now)
        _check_draft(draft, self._settings.max_body)
        adding = self._store.add_command(
            grant.identity,
            draft,
            message_id=draft.message_id or self._entropy.uuid(),
            now=now,
            expires_at=expires_at,
            max_pending=self._settings.max_pending,
        )
        command = await self._told(adding, grant.identity)
        self.tally.add("queued")
        self._due(expires_at)
        return command

    async def purge(self, grant: Grant) -> int:
        """Remove everything from the queue of `grant.identity`; returns how many. Raises DeviceNotFound."""
        grant.require(Permission.COMMAND_PURGE)
        purged = await self._store.purge_commands(grant.identity, now=self._clock.now())
        self.tally.add(Outcome.PURGED, purged)
        self._bus.publish(CommandsEnded(grant.identity))
        return purged

    async def hold(self, grant: Grant, *, owner: str, limit: int) -> Sequence[Delivery]:
        """Hand out the oldest commands to a session that holds them until it settles or `release(owner)`."""
        grant.require(Permission.COMMAND_RECEIVE)
        await self._forget_old_holders()
        now = self._clock.now()
        return await self._store.lock_commands(grant.identity, now=now, locked_until=None, owner=owner, limit=limit)

    async def receive(self, grant: Grant, *, owner: str = "", limit: int = 1) -> Sequence[Delivery]:
        """Hand out the oldest commands under a lock that ends by itself (`lock_duration`), or with `release(owner)`."""
        grant.require(Permission.COMMAND_RECEIVE)
        if owner:
            await self._forget_old_holders()
        now = self._clock.now()
        until = now + self._settings.lock_duration
        held = await self._store.lock_commands(grant.identity, now=now, locked_until=until, owner=owner, limit=limit)
        if held:
            self._due(until)
        return held

    @property
    def lock_duration(self) -> float:
        """Seconds until a lock of `receive` ends by itself."""
        return self._settings.lock_duration

    async def complete(self, grant: Grant, lock_token: str) -> None:
        """The device took it. Raises LockLost."""
        grant.require(Permission.COMMAND_RECEIVE)
        await self._store.complete_command(grant.identity, lock_token, now=self._clock.now(), outcome=Outcome.SUCCESS)
        self.tally.add(Outcome.SUCCESS)
        self._bus.publish(CommandsEnded(grant.identity))

    async def reject(self, grant: Grant, lock_token: str) -> None:
        """The device wants never to see it again. Raises LockLost."""
        grant.require(Permission.COMMAND_RECEIVE)
        await self._store.complete_command(grant.identity, lock_token, now=self._clock.now(), outcome=Outcome.REJECTED)
        self.tally.add(Outcome.REJECTED)
        self._bus.publish(CommandsEnded(grant.identity))

    async def abandon(self, grant: Grant, lock_token: str) -> None:
        """The device wants it again later; too often, and it is dead-lettered. Raises LockLost."""
        grant.require(Permission.COMMAND_RECEIVE)
        abandoning = self._store.abandon_command(
            grant.identity,
            lock_token,
            now=self._clock.now(),
            max_delivery_count=self._settings.max_delivery_count,
            counted=True,
        )
        await self._told(abandoning, grant.identity)
        self._bus.publish(CommandsEnded(grant.identity))  # it may have been once too often
        self._due(self._clock.now())  # while it was held, its expiry was nobody's concern

    async def release(self, grant: Grant, *, owner: str) -> None:
        """The session is over: what it holds goes back in its place, for the next connection.

        While the store is out of order this is remembered, and done by `run` as soon as it can be.
        """
        grant.require(Permission.COMMAND_RECEIVE)
        if len(self._unreleased) < MAX_UNRELEASED:
            self._unreleased[owner] = grant.identity
        try:
            await asyncio.shield(self._release(owner, grant.identity))
        except HubError as error:
            log.warning("commands_not_released", extra={"code": error.code, "device": str(grant.identity)})
            self._due(self._clock.now())

    async def pending(self, grant: Grant) -> int:
        """Return how many commands wait or are held, for a back end."""
        grant.require(Permission.COMMAND_PURGE)
        return await self._store.count_commands(grant.identity)

    async def feedback(self, grant: Grant, *, after: int, limit: int) -> Sequence[Feedback]:
        """Return feedback records with ids above `after`."""
        grant.require_whole_hub(Permission.FEEDBACK_READ)
        return await self._store.list_feedback(after=after, limit=limit, now=self._clock.now())

    async def drop_feedback(self, grant: Grant, *, up_to: int) -> None:
        """Forget the feedback records with ids up to and including `up_to`."""
        grant.require_whole_hub(Permission.FEEDBACK_READ)
        await self._store.drop_feedback(up_to)

    async def run(self) -> None:
        """Expire what is due, until cancelled; sleeps until the next command is due."""
        await self._retried(self._forget_old_holders)
        while True:
            self._looks_at = math.inf  # what becomes due while we look is looked at again
            self._earlier.clear()
            await self._retried(self._sweep)
            pause = await self._pause()
            self._looks_at = self._clock.now() + pause
            try:
                async with asyncio.timeout(pause):
                    await self._earlier.wait()
            except TimeoutError:
                continue

    async def _forget_old_holders(self) -> None:
        """Sessions of the process before this one hold nothing any more. Done before the first of ours can hold."""
        if self._fresh:
            return
        async with self._freshening:
            if not self._fresh:
                await self._store.release_commands(None, now=self._clock.now())
                self._fresh = True

    async def _release(self, owner: str, identity: Identity) -> None:
        released = await self._store.release_commands(owner, now=self._clock.now())
        self._unreleased.pop(owner, None)
        if released:
            self._bus.publish(CommandQueued(identity))
            self._due(self._clock.now())

    async def _told(self, write: Awaitable[T], identity: Identity) -> T:
        """Store, then tell, also when the caller hangs up half-way: no command waits unseen for a connected device."""

        async def store_and_tell() -> T:
            stored = await write
            self._bus.publish(CommandQueued(identity))
            return stored

        return await asyncio.shield(store_and_tell())

    def _due(self, at: float) -> None:
        """Something is due at `at`: look then, if not earlier; at once when the clock was put forward over it."""
        if at < self._looks_at or self._looks_at <= self._clock.now():
            self._earlier.set()

    async def _sweep(self) -> None:
        for owner, identity in tuple(self._unreleased.items()):
            await self._release(owner, identity)
        limit = self._settings.max_delivery_count
        for identity in await self._store.expire_commands(
            now=self._clock.now(), max_delivery_count=limit, limit=SWEEP_BATCH
        ):
            self._bus.publish(CommandQueued(identity))
        self._bus.publish(CommandsEnded(None))

    async def _pause(self) -> float:
        try:
            due = await self._store.next_due()
        except HubError:
            return RETRY_AFTER
        return MAX_SWEEP_PAUSE if due is None else min(max(due - self._clock.now(), 0.05), MAX_SWEEP_PAUSE)

    async def _retried(self, step: Step) -> None:
        while True:
            try:
                return await step()
            except HubError as error:
                log.warning("commands_not_swept", extra={"code": error.code})
                await asyncio.sleep(RETRY_AFTER)

    def _expiry(self, draft: CommandDraft, now: float) -> float:
        if draft.expires_at is None:
            return now + self._settings.default_ttl
        if not now < draft.expires_at <= now + self._settings.max_ttl:
            raise ExpiryInvalid(f"the expiry must lie within the next {self._settings.max_ttl:.0f} seconds")
        return draft.expires_at


def _check_draft(draft: CommandDraft, max_body: int) -> None:
    size = len(draft.body) + sum(
        len(text.encode("utf-8", "surrogatepass")) for pair in draft.properties.items() for text in pair
    )
    if size > max_body:
        raise CommandTooLarge(f"the command has {size} bytes; at most {max_body} are taken")
    texts = (draft.message_id or "", draft.correlation_id, draft.user_id, draft.content_type, draft.content_encoding)
    if any(len(text) > MAX_TEXT for text in texts):
        raise InvalidArgument(f"ids and content types of a command have at most {MAX_TEXT} characters")
