"""One job on its way, from the search for its targets to its end.

What it protects: a job never does more than its creator may at that moment (promise 2). Before each device the
creator's right is at hand as the gate saw it after the last change of their policy; a key that was rolled or a right
that was taken away ends the job, and with it the calls that are still under way.

A device gets a twin update exactly once: the change and the receipt for it are one transaction. It gets a method call
at most once: that it begins is written down before it goes out, and a call whose end nobody knows is never made again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, ParamSpec, TypeVar

from ironhub.access.model import WHOLE_HUB, PermissionDenied
from ironhub.access.service import authorise
from ironhub.core.clock import Clock
from ironhub.core.errors import HubError, Unavailable
from ironhub.core.ids import DeviceId, Identity
from ironhub.core.receipts import Receipt, ReceiptRefused
from ironhub.core.tally import Tally
from ironhub.identity.model import AuthenticationFailed, Principal, Remembered
from ironhub.messaging.jobs.model import (
    Job,
    JobOver,
    JobRightLost,
    JobSettings,
    JobStatus,
    JobTimeOver,
    OutcomeUnknown,
    Result,
    TargetStatus,
    TwinChange,
)
from ironhub.messaging.jobs.ports import Conditions, JobStore, Recall
from ironhub.messaging.jobs.service import NEEDED
from ironhub.messaging.methods.model import MethodAnswer, MethodCall
from ironhub.messaging.methods.service import MethodService
from ironhub.twins.service import TwinService

log: Final = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

TARGETS_AT_ONCE: Final = 500
"""Devices that are looked up, and written down, in one step."""
RETRY_AFTER: Final = 1.0
"""Seconds before a step is tried again that the store could not do."""


class Tools:
    """What every run needs."""

    def __init__(
        self,
        store: JobStore,
        conditions: Conditions,
        twins: TwinService,
        methods: MethodService,
        recall: Recall,
        clock: Clock,
        settings: JobSettings,
    ) -> None:
        self.store = store
        self.conditions = conditions
        self.twins = twins
        self.methods = methods
        self.recall = recall
        self.clock = clock
        self.settings = settings
        self.tally = Tally()
        """Devices by how it ended: "succeeded", "failed"."""
        self.begin()

    def begin(self) -> None:
        """The hub has just begun to listen."""
        self.began_at = self.clock.now()
        self.grace_until = self.clock.monotonic() + self.settings.reconnect_grace


class Standing:
    """A creator as the gate sees them, asked once and again after each change of their policy."""

    def __init__(self, who: Remembered, recall: Recall) -> None:
        self.who = who
        self.doubted = asyncio.Event()
        self._recall = recall
        self._current: Principal | None = None
        self._asking = asyncio.Lock()

    def doubt(self) -> None:
        """Their policy changed: believe nothing that was heard before."""
        self._current = None
        self.doubted.set()

    async def principal(self) -> Principal:
        """Return who they are now. Raises AuthenticationFailed."""
        while (current := self._current) is None:
            async with self._asking:
                if self._current is None:
                    self.doubted.clear()
                    found = await patiently(self._recall, self.who)
                    if not self.doubted.is_set():  # else it changed meanwhile: ask again
                        self._current = found
        return current


class JobRun:
    """One job that is RUNNING."""

    def __init__(self, job: Job, tools: Tools) -> None:
        self.job = job
        self.standing = Standing(job.creator, tools.recall)
        self._tools = tools

    async def run(self) -> None:
        """Return when the job has ended, by this or by others. Cancelled, it leaves the job to be gone on with."""
        status: JobStatus = JobStatus.COMPLETED
        error: HubError | None = None
        try:
            async with asyncio.timeout(max(self.job.deadline - self._tools.clock.now(), 0)):
                await self._collect_and_work()
        except TimeoutError:
            status, error = JobStatus.FAILED, JobTimeOver("the job's time was over before every device had its turn")
        except HubError as failure:
            log.warning("job_failed", extra={"job": self.job.job_id, "code": failure.code, "detail": failure.detail})
            status, error = JobStatus.FAILED, failure
        except Exception:
            log.exception("job_broke", extra={"job": self.job.job_id})
            status, error = JobStatus.FAILED, HubError("something broke in the hub")
        await self._end(status, error)

    async def recover(self) -> None:
        """The hub stopped while the job ran: settle what it had begun."""
        error: tuple[str, str] | None = None
        if isinstance(self.job.work, MethodCall):
            error = OutcomeUnknown.code, "the hub stopped before it knew what the device said"
        at = self._tools.clock.now()
        await patiently(self._tools.store.recover_targets, self.job.number, at=at, error=error)

    async def _collect_and_work(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                await self._collect()
                await self._work(group)
                await self.recover()  # of a step whose answer the store kept from us, perhaps
                await self._work(group)
                watch.cancel()
        except ExceptionGroup as failures:
            raise _cause_of(failures) from failures

    async def _watch(self) -> None:
        """Ask about the creator as soon as there is doubt, also while all devices at work keep silent."""
        while True:
            self._authorise_all(await self.standing.principal())
            await self.standing.doubted.wait()

    def _authorise_all(self, principal: Principal) -> None:
        authorise(principal, NEEDED[self.job.kind], WHOLE_HUB)

    async def _collect(self) -> None:
        """Write down every device that the condition names now: they are the job's, whatever changes later."""
        condition, matching = self.job.condition, self._tools.conditions.matching
        after, collected = self.job.walked_to, self.job.collected
        while not collected:
            page = await patiently(matching, condition, after=after, limit=TARGETS_AT_ONCE)
            after, collected = page.after, page.after is None
            await self._write_down([who.device_id for who in page.items], after, collected=collected)

    async def _write_down(self, devices: list[DeviceId], walked_to: str | None, *, collected: bool) -> None:
        add, number, at = self._tools.store.add_targets, self.job.number, self._tools.clock.now()
        await patiently(add, number, devices, at=at, walked_to=walked_to, collected=collected)

    async def _work(self, group: asyncio.TaskGroup) -> None:
        """Keep as many devices at work as there is room for, until none is left."""
        at_work: set[asyncio.Task[None]] = set()
        while True:
            await self.standing.principal()
            devices = await self._begin(self._tools.settings.concurrency - len(at_work))
            at_work |= {group.create_task(self._one(device)) for device in devices}
            if not at_work:
                return
            _, at_work = await asyncio.wait(at_work, return_when=asyncio.FIRST_COMPLETED)

    async def _begin(self, limit: int) -> list[DeviceId]:
        begin, number, at = self._tools.store.begin_targets, self.job.number, self._tools.clock.now()
        return list(await patiently(begin, number, at=at, limit=limit))

    async def _one(self, device: DeviceId) -> None:
        result = await self._act(device)
        if result is not None:
            self._tools.tally.add(result.status.value)
            finish, number, at = self._tools.store.finish_targets, self.job.number, self._tools.clock.now()
            await patiently(finish, number, [result], at=at)

    async def _act(self, device: DeviceId) -> Result | None:
        """Return how it ended, if that is not written down already."""
        grant = authorise(await self.standing.principal(), NEEDED[self.job.kind], Identity(device))
        try:
            match self.job.work:
                case MethodCall() as call:
                    waiting = replace(call, connect_timeout=self._connect_timeout(call))
                    answer = await patiently(self._tools.methods.invoke, grant, waiting)
                    return Result(device, TargetStatus.SUCCEEDED, self._kept(answer))
                case TwinChange(tags, desired, if_match):
                    receipt = Receipt(self.job.number, device, self._tools.clock.now())
                    update = self._tools.twins.update
                    await patiently(update, grant, tags=tags, desired=desired, if_match=if_match, receipt=receipt)
                    self._tools.tally.add(TargetStatus.SUCCEEDED.value)
        except ReceiptRefused:
            return None  # the change was made although nobody heard of it, or the job is over
        except HubError as error:
            return Result(device, TargetStatus.FAILED, None, error.code, str(error))
        except Exception:
            log.exception("job_device_failed", extra={"job": self.job.job_id, "device": device})
            return Result(device, TargetStatus.FAILED, None, HubError.code, "something broke in the hub")
        return None

    def _connect_timeout(self, call: MethodCall) -> float:
        """A job older than this start of the hub waits for devices that are still on their way back."""
        if self.job.created_at >= self._tools.began_at:
            return call.connect_timeout
        return max(call.connect_timeout, self._tools.grace_until - self._tools.clock.monotonic())

    def _kept(self, answer: MethodAnswer) -> MethodAnswer:
        return answer if len(answer.payload) <= self._tools.settings.max_answer else MethodAnswer(answer.status, b"")

    async def _end(self, status: JobStatus, failure: HubError | None) -> None:
        ending, at = self._tools.store.end_job, self._tools.clock.now()
        error = ("", "") if failure is None else (failure.code, str(failure))
        try:
            await patiently(ending, self.job.job_id, status, at=at, error=error)
        except JobOver:
            log.debug("job_ended_meanwhile")


def _cause_of(failures: ExceptionGroup[Exception]) -> Exception:
    first = failures.exceptions[0]
    if isinstance(first, AuthenticationFailed | PermissionDenied):
        lost = "the credential that the job was created with is not good any more"
        return JobRightLost(lost, detail=first.detail or str(first))
    return first


async def patiently(step: Callable[P, Awaitable[T]], *arguments: P.args, **more: P.kwargs) -> T:
    """Do `step`, and again while the store is out of order: that is no failure of a device, nor of the job."""
    while True:
        try:
            return await step(*arguments, **more)
        except Unavailable as error:
            log.warning("job_waits", extra={"code": error.code})
            await asyncio.sleep(RETRY_AFTER)
