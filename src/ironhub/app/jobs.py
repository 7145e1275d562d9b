"""Wires what creates, runs and tidies up jobs."""

from dataclasses import dataclass

from ironhub.app.conditions import QueriedConditions
from ironhub.app.settings import Settings
from ironhub.core.bus import Bus
from ironhub.core.clock import Clock
from ironhub.core.tally import Tally
from ironhub.identity.gate import Gate
from ironhub.messaging.jobs.model import JobSettings
from ironhub.messaging.jobs.run import Tools
from ironhub.messaging.jobs.runner import JobRunner
from ironhub.messaging.jobs.service import JobService
from ironhub.messaging.jobs.tidier import JobTidier
from ironhub.messaging.methods.service import MethodService
from ironhub.storage.stores import Stores
from ironhub.twins.service import TwinService


@dataclass(frozen=True, slots=True)
class Jobs:
    """The parts; `runner` works where devices can connect, `tidier` wherever the hub is open."""

    service: JobService
    runner: JobRunner
    tidier: JobTidier
    tally: Tally


def wire_jobs(
    stores: Stores, twins: TwinService, methods: MethodService, gate: Gate, bus: Bus, clock: Clock, settings: Settings
) -> Jobs:
    """Return the parts, over the services that do a job's work."""
    bounds = JobSettings(
        max_active=settings.max_active_jobs, concurrency=settings.job_concurrency, history=settings.job_history
    )
    conditions = QueriedConditions(stores.queries)
    tools = Tools(stores.jobs, conditions, twins, methods, gate.recall, clock, bounds)
    return Jobs(
        JobService(stores.jobs, conditions, bus, clock, bounds),
        JobRunner(tools, bus),
        JobTidier(stores.jobs, bus, clock, bounds),
        tools.tally,
    )
