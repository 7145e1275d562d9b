"""Metrics, put together when somebody asks: the hot path counts in plain attributes and knows nothing of this."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ironhub.console import metric_names as names


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the hub counted since it started. Mappings: label → count."""

    version: str = ""
    connections: Mapping[str, int] = field(default_factory=dict)
    tasks: int = 0
    """Of the event loop."""
    connects: Mapping[str, int] = field(default_factory=dict)
    amqp_connects: Mapping[str, int] = field(default_factory=dict)
    amqp_links: int = 0
    """That are open."""
    amqp_rejected: Mapping[str, int] = field(default_factory=dict)
    event_readers: Mapping[str, int] = field(default_factory=dict)
    events_sent: int = 0
    messages_stored: int = 0
    bytes_stored: int = 0
    commits: int = 0
    commit_seconds: float = 0.0
    damaged: int = 0
    """Pieces of the log that cannot be read."""
    commands: Mapping[str, int] = field(default_factory=dict)
    method_calls: Mapping[str, int] = field(default_factory=dict)
    twin_changes: Mapping[str, int] = field(default_factory=dict)
    jobs: int = 0
    """That run."""
    job_devices: Mapping[str, int] = field(default_factory=dict)
    stores: Mapping[str, bool] = field(default_factory=dict)
    """Whether each store can write."""


class HubCollector(Collector):
    """Turns readings into metrics when they are asked for."""

    def __init__(self, read: Callable[[], Readings], ready: Callable[[], Sequence[str]]) -> None:
        self._read = read
        self._ready = ready

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        now = self._read()
        yield InfoMetricFamily(names.INFO, "The hub's version.", value={names.LABEL_VERSION: now.version})
        yield GaugeMetricFamily(names.READY, "1 while the hub is ready.", value=float(not self._ready()))
        yield _gauge(names.CONNECTIONS, "Open connections.", names.LABEL_STATE, now.connections)
        yield GaugeMetricFamily(names.TASKS, "Tasks of the event loop.", value=float(now.tasks))
        yield _gauge(names.STORE_HEALTHY, "1 while the store can write.", names.LABEL_STORE, now.stores)
        yield _counter(names.CONNECTS, "Connects that were answered.", names.LABEL_RESULT, now.connects)
        yield _counter(names.AMQP_CONNECTS, "Of these, over AMQP.", names.LABEL_RESULT, now.amqp_connects)
        yield GaugeMetricFamily(names.AMQP_LINKS, "Open AMQP links.", value=float(now.amqp_links))
        yield _counter(names.AMQP_REJECTED, "Rejected transfers.", names.LABEL_CODE, now.amqp_rejected)
        yield _gauge(names.EVENT_READERS, "Readers of events.", names.LABEL_GROUP, now.event_readers)
        yield CounterMetricFamily(names.EVENTS_SENT, "Events sent to readers.", value=now.events_sent)
        yield _counter(names.COMMANDS, "Commands and what became of them.", names.LABEL_OUTCOME, now.commands)
        yield _counter(names.METHOD_CALLS, "Direct methods called.", names.LABEL_RESULT, now.method_calls)
        yield _counter(names.TWIN_CHANGES, "Changes of twins.", names.LABEL_SECTION, now.twin_changes)
        yield GaugeMetricFamily(names.JOBS, "Jobs that run.", value=float(now.jobs))
        yield _counter(names.JOB_DEVICES, "Devices that jobs have seen to.", names.LABEL_RESULT, now.job_devices)
        yield CounterMetricFamily(names.MESSAGES_STORED, "Messages on disk.", value=now.messages_stored)
        yield CounterMetricFamily(names.BYTES_STORED, "Bytes of messages on disk.", value=now.bytes_stored)
        yield CounterMetricFamily(names.COMMITS, "Group commits of the event log.", value=now.commits)
        yield CounterMetricFamily(names.COMMIT_SECONDS, "Seconds spent on group commits.", value=now.commit_seconds)
        yield CounterMetricFamily(names.DAMAGED, "Pieces of the event log found damaged.", value=now.damaged)


class HubMetrics:
    """The hub's metrics as text, from a registry of their own."""

    def __init__(self, read: Callable[[], Readings], ready: Callable[[], Sequence[str]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(HubCollector(read, ready))

    def text(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family


def _counter(name: str, text: str, label: str, values: Mapping[str, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
