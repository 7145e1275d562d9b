"""Brings one twin, or the twins of an edge device's modules, to what the winning configuration wants."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from ironhub.access.model import Permission
from ironhub.access.service import authorise
from ironhub.core.errors import HubError, Unavailable
from ironhub.core.ids import Identity, module_id
from ironhub.identity.model import Principal
from ironhub.twins.configurations.model import (
    Configuration,
    Content,
    ContentKind,
    Status,
    Write,
    is_applied,
    statuses,
    winners_of,
)
from ironhub.twins.configurations.ports import ModuleMaker
from ironhub.twins.model import Properties, Twin, TwinNotFound
from ironhub.twins.service import TwinService

log: Final = logging.getLogger(__name__)

Known = Mapping[str, Configuration]
Mark = Callable[[Properties], Properties]


class Applier:
    """Writes through the twin service: every change is told to the log and the device, like any other."""

    def __init__(self, twins: TwinService, modules: ModuleMaker) -> None:
        self._twins = twins
        self._modules = modules

    async def apply_content(self, principal: Principal, device: Identity, content: Content) -> None:
        """Write `content` once, to one device or to its modules.

        Raises DeviceNotFound, TwinNotFound, TwinInvalid, TooManyModules, PermissionDenied.
        """
        if content.kind is ContentKind.EDGE:
            for module in content.modules():
                await self._write_module(principal, device, module, content.writes_to(module), _as_it_is)
        else:
            await self._configure(principal, device, _as_it_is, content.writes)

    async def settle(
        self,
        principal: Principal,
        identity: Identity,
        matching: Sequence[Configuration],
        stored: Properties,
        known: Known,
    ) -> Properties:
        """Make the twin have what its configurations want; returns how they stand to it.

        What is stored already is not written again. A twin that cannot hold what it should is left as it is, and its
        configuration stays "targeted": the next walk tries again.

        Args:
            matching: those whose condition it meets, of the kinds that concern this twin.
            stored: the configurations that it has now.
            known: all configurations there are.
        """
        standing = statuses(matching)
        if not (stored or matching):
            return {}
        writes: tuple[Write, ...] = ()
        for winner in winners_of(matching):
            if winner.results is not None and is_applied(stored, winner.id):
                continue
            if winner.content.kind is not ContentKind.EDGE:
                writes = winner.content.writes
            elif not await self._tried(identity, self._deploy(principal, identity, winner)):
                standing[winner.id] = {"status": Status.TARGETED.value}
        for loser in (known[name] for name in stored if name in known and concerns(known[name], identity)):
            if is_applied(stored, loser.id) and not is_applied(standing, loser.id):
                await self._tried(identity, self._withdraw(principal, identity, loser))
        if writes or _others(identity, stored, known) | standing != stored:
            return await self._store(principal, identity, standing, writes, known)
        return stored

    async def _store(
        self, principal: Principal, identity: Identity, standing: Properties, writes: Sequence[Write], known: Known
    ) -> Properties:
        def mark(stored: Properties) -> Properties:
            return _others(identity, stored, known) | standing

        if writes and not await self._tried(identity, self._configure(principal, identity, mark, writes)):
            standing = {
                name: {"status": Status.TARGETED.value} if known[name].content.kind is not ContentKind.EDGE else status
                for name, status in standing.items()
            }
            writes = ()
        if not writes:
            await self._tried(identity, self._configure(principal, identity, mark))
        return standing

    async def _deploy(self, principal: Principal, device: Identity, winner: Configuration) -> None:
        applied: Properties = {winner.id: {"status": Status.APPLIED.value}}
        for module in winner.content.modules():
            writes = winner.content.writes_to(module)
            await self._write_module(principal, device, module, writes, lambda stored: stored | applied)

    async def _withdraw(self, principal: Principal, device: Identity, loser: Configuration) -> None:
        """What it wrote stays; that it applies is not said any more."""
        for module in loser.content.modules():
            own = Identity(device.device_id, module_id(module))
            await self._tried(own, self._configure(principal, own, lambda stored: _without(stored, loser.id)))

    async def _write_module(
        self, principal: Principal, device: Identity, module: str, writes: Sequence[Write], mark: Mark
    ) -> None:
        own = Identity(device.device_id, module_id(module))
        await self._modules.ensure_module(authorise(principal, Permission.CONFIGURATION_WRITE, own))
        await self._configure(principal, own, mark, writes)

    async def _configure(
        self, principal: Principal, identity: Identity, mark: Mark, writes: Sequence[Write] = ()
    ) -> Twin:
        return await self._twins.configure(authorise(principal, Permission.CONFIGURATION_WRITE, identity), mark, writes)

    async def _tried(self, identity: Identity, work: Awaitable[object]) -> bool:
        """Whether it went well; a disk that takes no writes ends the walk instead."""
        try:
            await work
        except TwinNotFound:
            return False  # deleted meanwhile
        except Unavailable:
            raise
        except HubError as error:
            log.warning("configuration_not_applied", extra={"device": str(identity), "code": error.code})
            return False
        return True


def concerns(configuration: Configuration, identity: Identity) -> bool:
    """Whether a configuration of its kind can target this twin."""
    return (configuration.content.kind is ContentKind.MODULE) == (identity.module_id is not None)


def _others(identity: Identity, stored: Properties, known: Known) -> Properties:
    """What deployments to the device noted in the twin of its module; of what is gone, nothing is kept."""
    return {
        name: status
        for name, status in stored.items()
        if name in known and not concerns(known[name], identity) and identity.module_id in known[name].content.modules()
    }


def _as_it_is(stored: Properties) -> Properties:
    return stored


def _without(stored: Properties, name: str) -> Properties:
    return {key: status for key, status in stored.items() if key != name}
