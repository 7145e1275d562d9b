"""The REST surface: what one call costs, beside a server in Python that does nothing, and as devices grow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from tools.bench.answering import answering
from tools.bench.beside import OURS, entered
from tools.bench.calls import BULK, Calls
from tools.bench.credentials import Kind
from tools.bench.fleet import Fleet, name_of
from tools.bench.growth import FEW_REGISTERED, LARGE, SMALL, TARGET
from tools.bench.measure import Contestant, Sample, alternate, cpu_per_piece, per_second, spread, wait
from tools.bench.report import Row, Table
from tools.bench.servers import FloorServer, HubServer
from tools.bench.stage import HUB, SECOND_HUB, Stage

CONNECTIONS: Final = 16
FLOOR: Final = "FastAPI doing nothing"
GET_TARGET: Final = 3.0
_ASKED: Final = 10_000
"""Different devices that are asked for, at most."""
_PER_KIND: Final = FEW_REGISTERED // 3
_ANSWERING: Final = 10


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call."""

    name: str
    make: Callable[[Calls, Sequence[str]], Iterator[bytes]]
    share: float = 1.0
    """How many of them are measured, compared with the cheapest."""
    target: float | None = None
    """How many times the floor it may cost."""


CALLS: Final = (
    Call("get device", Calls.get_device, target=GET_TARGET),
    Call("put device", Calls.put_device, 0.3),
    Call("twin patch", Calls.patch_twin, 0.3),
    Call("query page of 100", Calls.query_page, 0.05),
    Call("bulk of 100", Calls.bulk, 0.05),
)
TELEMETRY: Final = Call("HTTPS telemetry, 100 B", Calls.telemetry)
SAME_BULK: Final = Call("bulk of the same 100", Calls.bulk, 0.05)
DIFFERENT_BULK: Final = Call("bulk of a different 100 each time", Calls.bulk, 0.05)
"""It reads and writes other pages of the database each time; of a hundred devices there is only one hundred."""
METHOD: Final = Call("method round trip", Calls.method, 0.5)


def rest(stage: Stage) -> None:
    """CPU of the server for one call of a back end."""
    _beside(stage, CALLS)


def telemetry(stage: Stage) -> None:
    """CPU of the server for a message that a device sends over HTTPS."""
    _beside(stage, (TELEMETRY,), [device.device_id for device in stage.fleet().devices[Kind.SAS]])


def methods(stage: Stage) -> None:
    """CPU of the server for a direct method: HTTPS in, MQTT out and back, HTTPS out."""
    devices = stage.fleet().devices[Kind.SAS][:_ANSWERING]
    with ExitStack() as stack:
        hub = stack.enter_context(stage.hub(stage.fleet()))
        stack.enter_context(answering(hub.address, hub.ca, devices, HUB, stage.expires_at()))
        pair = _pair(stage, stack, hub, None, METHOD, [device.device_id for device in devices])
        _take(stage, METHOD, pair)


def growth(stage: Stage) -> None:
    """The same calls from a hundred registered devices to a million."""
    fleets = {
        SMALL: stage.fleet(FEW_REGISTERED, _PER_KIND),
        LARGE: stage.fleet(stage.sizes.registered, stage.sizes.idle),
    }
    suffix = f"{FEW_REGISTERED} to {stage.sizes.registered:,} registered devices"
    with ExitStack() as stack:
        servers = {
            SMALL: stack.enter_context(stage.hub(fleets[SMALL], HUB)),
            LARGE: stack.enter_context(stage.hub(fleets[LARGE], SECOND_HUB)),
        }
        for call in (*CALLS[:-1], SAME_BULK, DIFFERENT_BULK, TELEMETRY):
            with ExitStack() as held:
                pair = {
                    label: entered(held, _contestant(stage, server, fleets[label], call))
                    for label, server in servers.items()
                }
                name = f"{call.name}, {suffix}"
                taken = stage.record(name, alternate(pair, stage.sizes.requests(call.share), stage.sizes.rounds))
            large, small = (spread(taken[label], cpu_per_piece) for label in (LARGE, SMALL))
            stage.add(Row(Table.GROWTH, name, "CPU ms", large, small, "", TARGET))


def _beside(stage: Stage, calls: Sequence[Call], ids: Sequence[str] | None = None) -> None:
    fleet = stage.fleet()
    with ExitStack() as stack:
        hub, floor = stack.enter_context(stage.hub(fleet)), stack.enter_context(stage.floor())
        for call in calls:
            stage.say(f"{call.name} over HTTPS")
            with ExitStack() as held:
                _take(stage, call, _pair(stage, held, hub, floor, call, ids or _ids(fleet)))


def _pair(
    stage: Stage, stack: ExitStack, hub: HubServer, floor: FloorServer | None, call: Call, ids: Sequence[str]
) -> dict[str, Contestant]:
    requests = partial(call.make, _calls(stage, stage.fleet()), ids)
    pair = {OURS: entered(stack, stage.caller(hub, requests(), CONNECTIONS))}
    if floor is not None:
        pair[FLOOR] = entered(stack, stage.caller(floor, requests(), CONNECTIONS))
    return pair


def _take(stage: Stage, call: Call, pair: Mapping[str, Contestant]) -> None:
    taken = stage.record(call.name, alternate(pair, stage.sizes.requests(call.share), stage.sizes.rounds))
    quantities: tuple[tuple[str, str, Callable[[Sample], float], float | None], ...] = (
        (call.name, "CPU ms", cpu_per_piece, call.target),
        (f"{call.name}, speed", "calls/s", per_second, None),
        (f"{call.name}, p99", "ms", wait("p99_us"), None),
    )
    for title, unit, of, target in quantities:
        base = spread(taken[FLOOR], of) if FLOOR in taken else None
        stage.add(Row(Table.BESIDE, title, unit, spread(taken[OURS], of), base, FLOOR if base else "", target))


def _contestant(stage: Stage, server: HubServer, fleet: Fleet, call: Call) -> Contestant:
    """Devices from all over the ids: all of a small fleet, ten thousand different ones of a large one."""
    return stage.caller(server, call.make(_calls(stage, fleet), _asked(fleet, call)), CONNECTIONS)


def _calls(stage: Stage, fleet: Fleet) -> Calls:
    return Calls(HUB, fleet.owner_key, stage.expires_at())


def _asked(fleet: Fleet, call: Call) -> list[str]:
    """Devices from all over the ids: all of a small fleet, ten thousand different ones of a large one."""
    if call is TELEMETRY:
        return [device.device_id for device in fleet.devices[Kind.SAS]]
    ids = _ids(fleet)
    return ids[:: len(ids) // BULK][:BULK] if call is SAME_BULK else ids


def _ids(fleet: Fleet) -> list[str]:
    """Devices from all over the ids."""
    step = max(1, fleet.registered // _ASKED)
    return [name_of(number) for number in range(0, fleet.registered, step)]
