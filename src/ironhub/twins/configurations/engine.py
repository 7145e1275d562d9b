"""Looks at all twins, batch by batch, whenever configurations changed and every few minutes, and applies the winners.

What it protects: nobody's message, connect or call waits for it, and a restart goes on where the last batch ended.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ironhub.core.clock import Clock
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.identity.gate import trust_the_hub
from ironhub.twins.configurations.applying import Applier, concerns
from ironhub.twins.configurations.model import (
    Configuration,
    ContentKind,
    Progress,
    Results,
    Target,
    is_applied,
)
from ironhub.twins.configurations.ports import ConditionReader, ConfigurationStore
from ironhub.twins.configurations.walk import Visit, Walk
from ironhub.twins.model import Properties
from ironhub.twins.queries.model import And, Comparison, Constant, Operator, Path
from ironhub.twins.queries.ports import QueryStore

log: Final = logging.getLogger(__name__)

BY_ITSELF: Final = trust_the_hub("configurations")
"""The hub acts by itself, on the word of whoever was allowed to write the configuration."""


@dataclass(frozen=True, slots=True)
class ConfigurationSettings:
    """How configurations are applied."""

    interval: float = 300.0
    """Seconds between two looks at all twins."""
    batch: int = 500
    """Twins of one batch, after which progress is stored."""
    writes_at_once: int = 64
    """Twins that are changed side by side, so that they share commits."""
    retry_after: float = 5.0
    """Seconds before a look that failed is begun again."""


class ConfigurationEngine:
    """One per hub; `run` is its task."""

    def __init__(
        self,
        store: ConfigurationStore,
        queries: QueryStore,
        reader: ConditionReader,
        applier: Applier,
        clock: Clock,
        settings: ConfigurationSettings = ConfigurationSettings(),
    ) -> None:
        self._store = store
        self._queries = queries
        self._reader = reader
        self._applier = applier
        self._clock = clock
        self._settings = settings
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """A configuration was created, changed or deleted: look at all twins now."""
        self._changed.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
                await self._pause(self._settings.interval)
            except HubError as error:
                log.warning("configurations_not_evaluated", extra={"code": error.code, "detail": error.detail})
                await self._pause(self._settings.retry_after)

    async def look(self) -> None:
        """Look at all twins; and again, when configurations changed meanwhile or the look was begun before a restart.

        Raises HubError.
        """
        again = True
        while again:
            self._changed.clear()
            resumed = await self._look_once()
            again = resumed or self._changed.is_set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _look_once(self) -> bool:
        """Whether it went on where another one had ended."""
        stored = await self._store.get_progress()
        resumed = stored is not None
        known = await self._known()
        progress = stored or Progress(covered={each.id: each.created_at for each in known.values()})
        counted = _Counted(progress)
        walk = self._walk(known, progress.after)
        failed: frozenset[str] = frozenset()
        while visits := await walk.next():
            for start in range(0, len(visits), self._settings.writes_at_once):
                some = visits[start : start + self._settings.writes_at_once]
                for standing in await self._visit_all(some, known):
                    counted.add(standing)
            if len(visits) >= self._settings.batch:
                progress = counted.progress(progress, visits[-1].identity)
                await self._store.put_progress(progress)
                stored = progress
            if self._changed.is_set():  # go on from here with what there is now; the next look begins anew
                failed |= walk.failed
                known = await self._known()
                walk = self._walk(known, visits[-1].identity)
        await self._finish(known, counted, progress, failed | walk.failed, had_progress=stored is not None)
        return resumed

    async def _visit_all(self, visits: Sequence[Visit], known: Mapping[str, Configuration]) -> Sequence[Properties]:
        """Cancelled, it ends what it has begun: the store is closed behind it."""
        together = asyncio.gather(*(self._visit(visit, known) for visit in visits))
        try:
            return await asyncio.shield(together)
        except asyncio.CancelledError:
            with suppress(HubError):
                await together
            raise

    async def _visit(self, visit: Visit, known: Mapping[str, Configuration]) -> Properties:
        matching = [known[name] for name in visit.matching if concerns(known[name], visit.identity)]
        standing = await self._applier.settle(BY_ITSELF, visit.identity, matching, visit.configurations, known)
        return {name: status for name, status in standing.items() if name in visit.matching}

    async def _known(self) -> dict[str, Configuration]:
        return {each.id: each for each in await self._store.list_configurations()}

    def _walk(self, known: Mapping[str, Configuration], after: Identity | None) -> Walk:
        targets = [(each, self._target(each)) for each in known.values() if each.target]
        readable = [(each, target) for each, target in targets if target is not None]
        return Walk(readable, self._queries, self._store, after, self._settings.batch)

    def _target(self, configuration: Configuration) -> Target | None:
        """What an older hub took may not be understood by this one: then it targets nobody."""
        try:
            return target_of(self._reader, configuration)
        except HubError as error:
            log.warning("configuration_not_understood", extra={"id": configuration.id, "code": error.code})
            return None

    async def _finish(
        self,
        known: Mapping[str, Configuration],
        counted: "_Counted",
        progress: Progress,
        failed: frozenset[str],
        *,
        had_progress: bool,
    ) -> None:
        results = {
            each.id: await self._results(each, counted)
            for each in known.values()
            if each.id in progress.covered and each.id not in failed
        }
        if results or had_progress:
            await self._store.record_results(results, progress.covered, None)

    async def _results(self, configuration: Configuration, counted: "_Counted") -> Results:
        name, reported = configuration.id, (0, 0)
        if configuration.content.kind is ContentKind.EDGE and counted.applied[name]:
            reported = await self._reported(configuration)
        custom: dict[str, int] = {}
        for metric, text in configuration.metrics.items():
            try:
                asked = self._reader.metric(text)
                custom[metric] = await self._queries.count(asked.condition, asked.source)
            except HubError as error:
                log.warning("configuration_metric_failed", extra={"id": name, "metric": metric, "code": error.code})
        return Results(self._clock.now(), counted.targeted[name], counted.applied[name], *reported, custom)

    async def _reported(self, configuration: Configuration) -> tuple[int, int]:
        """How many devices say that they run the deployment, and how many that they failed to."""
        good, bad = self._reader.reports(configuration.id)
        return (
            await self._queries.count(good.condition, good.source),
            await self._queries.count(bad.condition, bad.source),
        )


class _Counted:
    """How many twins each configuration targets and is applied to, as far as the walk has come."""

    def __init__(self, progress: Progress) -> None:
        self.targeted = Counter(progress.targeted)
        self.applied = Counter(progress.applied)

    def add(self, standing: Properties) -> None:
        """One more twin."""
        self.targeted.update(standing.keys())
        self.applied.update(name for name in standing if is_applied(standing, name))

    def progress(self, before: Progress, after: Identity) -> Progress:
        """What is to be stored."""
        return Progress(after, before.covered, dict(self.targeted), dict(self.applied))


def target_of(reader: ConditionReader, configuration: Configuration) -> Target:
    """Return who is meant: by a deployment, edge devices only. Raises ConfigurationTargetInvalid."""
    target = reader.target(configuration.target)
    if configuration.content.kind is not ContentKind.EDGE:
        return target
    capable = Comparison(Operator.EQUAL, Path(("edge", "capable")), Constant(True))
    return Target(target.source, And((capable, target.condition)))
