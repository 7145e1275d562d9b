"""A small hub that runs jobs, in memory or over any other stores, with devices that answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.conditions import WordyConditions
from tests.fakes.grants import by_device, by_operator
from tests.fakes.identities import HUB
from tests.fakes.services import SmallHub
from tests.fakes.sessions import FakeSession
from tests.fakes.trouble import troubled

from ironhub.access.model import WHOLE_HUB, Grant, Permission
from ironhub.access.service import authorise
from ironhub.core.ids import Identity, identity
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate
from ironhub.identity.model import KnownPolicy, Right, ServicePrincipal, SymmetricKeys
from ironhub.identity.sas import key_digest
from ironhub.messaging.jobs.model import Job, JobDraft, JobSettings, JobStatus, TwinChange
from ironhub.messaging.jobs.run import Tools
from ironhub.messaging.jobs.runner import JobRunner
from ironhub.messaging.jobs.service import JobService
from ironhub.messaging.methods.model import MethodAnswer, MethodCall
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.presence import PresenceRecorder
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.twins.service import TwinService

TAG = TwinChange({"done": True}, None, "*")
CALL = MethodCall(name="reboot")
WRITE, READ = by_operator(Permission.JOB_WRITE), by_operator(Permission.JOB_READ)
KEYS = SymmetricKeys(b"p" * 32, b"s" * 32)
Answerer = Callable[[str], MethodAnswer | None]


class AnsweringDevice(FakeSession):
    """Answers each method call at once with what `answer` makes of the method's name; None: not at all."""

    def __init__(self, hub: "JobHub", who: Identity, answer: Answerer) -> None:
        super().__init__(who)
        self._hub = hub
        self._answer = answer

    def call_method(self, request_id: str, name: str, payload: bytes) -> None:
        """Note it, and answer soon."""
        super().call_method(request_id, name, payload)
        answer = self._answer(name)
        if answer is not None:
            grant = by_device(Permission.METHOD_ANSWER, self.principal.identity)
            asyncio.get_running_loop().call_soon(self._hub.methods.answer, grant, request_id, answer)


class JobHub(SmallHub):
    """Everything that a job touches."""

    def __init__(self, settings: JobSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or JobSettings()
        self.jobs = troubled(self.stores.jobs, self.trouble)
        self.conditions = WordyConditions(self.stores.devices)
        self.sessions = LiveSessions(self.bus, PresenceRecorder(self.stores.devices, self.clock), _good)
        self.twin_service = TwinService(self.twins, self.bus, self.clock)
        self.methods = MethodService(self.sessions, self.devices)
        self.gate = gate_of(self)
        self.service = JobService(self.jobs, self.conditions, self.bus, self.clock, self.settings)
        self.tools = self.new_tools()

    def new_tools(self) -> Tools:
        """What a runner needs, as after a start of the hub."""
        return Tools(
            self.jobs, self.conditions, self.twin_service, self.methods, self.gate.recall, self.clock, self.settings
        )

    async def register_many(self, *names: str) -> None:
        """Create devices."""
        await self.register(*map(identity, names))

    def connect(self, name: str, answer: Answerer = lambda name: MethodAnswer(200, b'"done"')) -> AnsweringDevice:
        """Connect a device that answers."""
        session = AnsweringDevice(self, identity(name), answer)
        self.sessions.enter(session, judged_at=self.sessions.notices)
        return session

    async def create(self, job_id: str = "j1", work: Any = TAG, condition: str = "*", **more: Any) -> Job:
        """Create a job as the operator, or with another `grant`."""
        grant: Grant = more.pop("grant", WRITE)
        return await self.service.create(grant, JobDraft(job_id=job_id, work=work, condition=condition, **more))

    async def job(self, job_id: str = "j1") -> Job:
        """Return a job as stored now."""
        return await self.service.get(READ, job_id)

    async def ended(self, job_id: str = "j1", status: JobStatus = JobStatus.COMPLETED) -> Job:
        """Wait until the job has ended, like this."""
        async with asyncio.timeout(10):
            while (job := await self.job(job_id)).ended_at is None:
                await asyncio.sleep(0.001)
        assert job.status is status, job
        return job

    async def fates(self, job_id: str = "j1") -> dict[str, tuple[str, str]]:
        """Return the status and error code of each target."""
        page = await self.service.targets(READ, job_id, limit=1000)
        return {target.device_id: (target.status.value, target.error_code) for target in page.items}

    async def tagged(self) -> list[str]:
        """Return the devices that TAG was done to, and check that each was changed once."""
        found: list[str] = []
        for device in (await self.stores.devices.list_devices(after=None, limit=10_000)).items:
            twin = await self.stores.twins.get_twin(Identity(device.device_id))
            assert twin is not None
            assert twin.version == 2 + (twin.tags == {"done": True})
            found += [device.device_id] * (twin.tags == {"done": True})
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator[JobRunner]:
        """A runner at work, in a hub that has just started; at the end it is stopped as SIGTERM does it."""
        runner = JobRunner(self.new_tools(), self.bus)
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def put_policy(self, *rights: Right, keys: SymmetricKeys = KEYS) -> None:
        """Make or change the policy "back-end"."""
        await self.stores.policies.put_policy(KnownPolicy("back-end", keys, frozenset(rights)))


def by_back_end(permission: Permission = Permission.JOB_WRITE, *, scope: str = "") -> Grant:
    """A grant of a back end with the policy "back-end" and the right to connect."""
    rights = frozenset({Right.SERVICE_CONNECT})
    principal = ServicePrincipal("back-end", rights, scope, 0.0, key_digest(KEYS.primary))
    return authorise(principal, permission, WHOLE_HUB)


def gate_of(hub: SmallHub) -> Gate:
    """A gate over the stores of `hub`."""
    stores = hub.stores
    return Gate(stores.devices, stores.policies, stores.authority_source, HubNames([HUB]), hub.clock)


async def _good(_: LiveSession) -> bool:
    return True
