"""What the metrics page reads from a wired hub; everything is counted elsewhere, in plain attributes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from ironhub import __version__
from ironhub.app.hub import Hub
from ironhub.console.health import HealthSources
from ironhub.console.metrics import Readings
from ironhub.heads.limits import ConnectionLimits
from ironhub.heads.listener import Listener


def hub_health(hub: Hub, listeners: Sequence[Listener], limits: ConnectionLimits) -> HealthSources:
    """Return where the health page of `hub` gets its answers."""
    return HealthSources(read=_reader(hub, listeners, limits), ready=hub.troubles)


def _reader(hub: Hub, listeners: Sequence[Listener], limits: ConnectionLimits) -> Callable[[], Readings]:
    def read() -> Readings:
        log, activity = hub.log.stats, hub.amqp.activity.counts
        counts = _sum(hub.mqtt.tally.counts, hub.amqp.tally.counts)
        counts["displaced"] = sum(listener.counts.displaced for listener in listeners)
        counts["tls_failure"] = sum(listener.counts.tls_failures for listener in listeners)
        counts["timed_out"] = sum(listener.counts.timed_out for listener in listeners)
        return Readings(
            version=__version__,
            connections={
                "open": limits.connections,
                "unidentified": limits.unidentified,
                "sessions": len(hub.sessions),
                "backends": len(hub.backends),
            },
            tasks=len(asyncio.all_tasks()),
            connects=counts,
            amqp_connects=hub.amqp.tally.counts,
            amqp_links=activity.get("links_opened", 0) - activity.get("links_closed", 0),
            amqp_rejected=_below("rejected:", activity),
            event_readers=hub.consumers.readers(),
            events_sent=activity.get("events_sent", 0),
            messages_stored=log.entries,
            bytes_stored=log.bytes,
            commits=log.commits,
            commit_seconds=log.commit_seconds,
            damaged=log.damaged,
            commands=hub.commands.tally.counts,
            method_calls=hub.methods.tally.counts,
            twin_changes=hub.twins.tally.counts,
            jobs=hub.jobs.runner.running,
            job_devices=hub.jobs.tally.counts,
            stores={"hub": hub.database.healthy, "stream": log.healthy},
        )

    return read


def _below(prefix: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix)}


def _sum(*tallies: Mapping[str, int]) -> dict[str, int]:
    names = {name: None for tally in tallies for name in tally}
    return {name: sum(tally.get(name, 0) for tally in tallies) for name in names}
