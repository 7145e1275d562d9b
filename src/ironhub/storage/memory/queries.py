"""Queries in memory: every document, one after the other."""

from collections.abc import Callable, Iterable
from typing import Any

from ironhub.core.ids import Identity
from ironhub.core.pages import Page
from ironhub.registry.ports import DeviceStore
from ironhub.storage.documents import document_of, job_document
from ironhub.storage.memory.state import State
from ironhub.storage.places import ids_behind, place_of_ids, place_of_result, result_behind
from ironhub.twins.ports import TwinStore
from ironhub.twins.queries.evaluate import meets
from ironhub.twins.queries.model import Condition, Query, Row, Source
from ironhub.twins.queries.rows import group, page_of_groups, shown


class MemoryQueryStore:
    """A QueryStore over the other stores in memory."""

    def __init__(self, state: State, devices: DeviceStore, twins: TwinStore) -> None:
        self._state = state
        self._devices = devices
        self._twins = twins

    async def run(self, query: Query, *, after: str | None, limit: int) -> Page[Row]:
        """Return at most `limit` rows. Raises QueryTooExpensive, InvalidArgument."""
        if query.source is Source.JOBS:
            results = [(place, row) for place, row in self._job_documents() if meets(query.condition, row)]
            return _page(results, result_behind(after), limit, place_of_result)
        found = await self._found(query.condition, query.source)
        if query.grouped:
            made = group(query, (document for _, document in found))
            return page_of_groups(made, after=after, limit=limit)
        rows = [(_ids(identity), shown(query.columns, document)) for identity, document in found]
        return _page(rows, ids_behind(after), limit, place_of_ids)

    async def matching(self, condition: Condition, source: Source, *, after: str | None, limit: int) -> Page[Identity]:
        """Return at most `limit` of those that meet `condition`. Raises InvalidArgument."""
        found = [(_ids(identity), identity) for identity, _ in await self._found(condition, source)]
        return _page(found, ids_behind(after), limit, place_of_ids)

    async def count(self, condition: Condition, source: Source = Source.DEVICES) -> int:
        """Return how many meet `condition`."""
        return len(await self._found(condition, source))

    async def _found(self, condition: Condition, source: Source) -> list[tuple[Identity, Row]]:
        """Those that meet it, in the order of their ids."""
        owners: Iterable[Identity] = self._state.modules
        if source is Source.DEVICES:
            owners = [Identity(device_id) for device_id in self._state.devices]
        documents = [(identity, await self._document(identity)) for identity in sorted(owners, key=_ids)]
        return [(identity, document) for identity, document in documents if meets(condition, document)]

    async def _document(self, identity: Identity) -> Row:
        get = self._devices.get_module if identity.module_id else None
        owner = await (get(identity) if get else self._devices.get_device(identity.device_id))
        twin = await self._twins.get_twin(identity)
        if owner is None or twin is None:
            raise KeyError(identity)
        return document_of(owner, twin)

    def _job_documents(self) -> list[tuple[tuple[int, str], Row]]:
        return [
            ((number, str(target.device_id)), _job_document(entry.job.job_id, entry.job.kind.value, target))
            for number, entry in sorted(self._state.jobs.entries.items())
            for target in entry.of_status(None)
        ]


def _job_document(job_id: str, kind: str, target: Any) -> Row:
    return job_document(job_id, kind, target, target.ended_at or target.started_at or target.created_at)


def _ids(identity: Identity) -> tuple[str, str]:
    return identity.device_id, identity.module_id or ""


def _page(rows: list[tuple[Any, Any]], after: Any, limit: int, place: Callable[..., str]) -> Page[Any]:
    left = [(where, row) for where, row in rows if after is None or where > after]
    page = left[:limit]
    return Page(tuple(row for _, row in page), place(*page[-1][0]) if page and len(left) > len(page) else None)
