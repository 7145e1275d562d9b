"""What every benchmark is given: programs, devices, servers that are started and ended, sizes, and where results go."""

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tools.bench.credentials import BenchDevice, Kind, hub_line, make_ca, make_devices, plain_line, write_lines
from tools.bench.fleet import Fleet, make_fleet
from tools.bench.generator import DeviceLoad, Generator, RestLoad
from tools.bench.measure import Contestant, Samples
from tools.bench.needs import Programs
from tools.bench.rabbit import RabbitServer
from tools.bench.report import Row
from tools.bench.servers import READER, FloorServer, HubServer, MosquittoServer, Server

HUB: Final = "127.30.0.1"
SECOND_HUB: Final = "127.30.0.2"
HUB_NAMES: Final = (HUB, SECOND_HUB)
PEER: Final = "127.30.0.3"
SECOND_PEER: Final = "127.30.0.4"
FLOOR: Final = "127.30.0.5"
RABBIT: Final = "127.30.0.6"
PARTITIONS: Final = 4
_DAY: Final = 86_400
_SPARE: Final = 100


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    rounds: int = 3
    wide: int = 300_000
    """Messages of a round with a window of 16."""
    narrow: int = 150_000
    """Messages of a round with a window of 1."""
    connects: int = 1_500
    idle: int = 5_000
    """Connections, where there are many."""
    registered: int = 1_000_000
    calls: int = 6_000
    """REST calls of a round; of those that cost much, fewer."""
    read: int = 400_000
    """Events that are read in a round; of a broker that is slow to take as many, a quarter."""
    rate_seconds: float = 10.0
    seconds: float = 6.0
    """A round ends after so long, however few it did."""

    def ingest(self, count: int, window: int) -> tuple[str, str]:
        """Return the load generator's command for a round, and for its warm-up."""
        return f"ingest {count} {self.seconds} {window}", f"ingest {count // 3} {self.seconds / 3} {window}"

    def connect(self) -> tuple[str, str]:
        """As `ingest`."""
        return f"connect {self.connects} {self.seconds}", f"connect {self.connects // 3} {self.seconds / 3}"

    def requests(self, share: float = 1.0) -> tuple[str, str]:
        """As `ingest`; `share` of the usual number."""
        count = int(self.calls * share)
        return f"requests {count} {self.seconds}", f"requests {count // 3} {self.seconds / 3}"

    def rate(self, per_second: int, of: str = "rate") -> tuple[str, str]:
        """As `ingest`; `of`: the command."""
        return f"{of} {per_second} {self.rate_seconds}", f"{of} {per_second} 1"


FULL: Final = Sizes()
QUICK: Final = Sizes(
    wide=60_000,
    narrow=30_000,
    read=100_000,
    calls=2_000,
    connects=300,
    idle=2_000,
    registered=100_000,
    rate_seconds=3.0,
    seconds=3.0,
)


class Stage:
    """One run of the benchmark, in a directory of its own."""

    def __init__(
        self, directory: Path, programs: Programs, mosquitto: Path | None, rabbitmq: Path | None, sizes: Sizes
    ) -> None:
        self.directory, self.programs, self.sizes = directory, programs, sizes
        self.mosquitto, self.rabbitmq = mosquitto, rabbitmq
        self.authority = make_ca("bench authority")
        self.rows: list[Row] = []
        self.samples: list[dict[str, Any]] = []
        self._fleets: dict[tuple[int, int, int], Fleet] = {}
        self._made = 0
        self._begun = time.monotonic()
        self._expires_at = int(time.time()) + _DAY

    def say(self, text: str) -> None:
        """Tell whoever waits what happens."""
        print(f"[{time.monotonic() - self._begun:5.0f} s] {text}", file=sys.stderr, flush=True)

    def fleet(self, registered: int | None = None, per_kind: int | None = None, partitions: int = PARTITIONS) -> Fleet:
        """Return a prepared data directory; the usual one has a few more of each kind than `sizes.idle`."""
        per_kind = self.sizes.idle + _SPARE if per_kind is None else per_kind
        registered = 3 * per_kind if registered is None else registered
        asked = registered, per_kind, partitions
        if asked not in self._fleets:
            self.say(f"registering {registered:,} devices")
            self._fleets[asked] = make_fleet(self._new("fleet"), HUB_NAMES, self.authority, *asked)
        return self._fleets[asked]

    @contextmanager
    def hub(
        self, fleet: Fleet, address: str = HUB, environment: Mapping[str, str] | None = None
    ) -> Iterator[HubServer]:
        """A hub on a copy of the fleet's directory, which is gone at the end."""
        data = self._new("hub")
        shutil.copytree(fleet.directory, data)
        server = HubServer(data, address, HUB_NAMES, environment)
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(data)

    @contextmanager
    def peer(self, address: str = PEER) -> Iterator[MosquittoServer]:
        """A fresh mosquitto that keeps every message for a subscriber that is away."""
        directory = self._new("mosquitto")
        server = self.start_peer(directory, address)
        try:
            with self.reader(server) as reader:
                reader.run("reserve")
            yield server
        finally:
            server.stop()
            shutil.rmtree(directory)

    @contextmanager
    def rabbit(self, queues: int = PARTITIONS) -> Iterator[RabbitServer]:
        """A fresh RabbitMQ with so many durable queues."""
        if self.rabbitmq is None:
            raise ValueError("there are no peers in this run")
        directory = self._new("rabbitmq")
        server = RabbitServer(self.rabbitmq, directory, RABBIT, self.authority, queues=queues)
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(directory)

    def start_peer(self, directory: Path, address: str = PEER) -> MosquittoServer:
        """Start mosquitto in `directory`, with what it left there if it ran before."""
        if self.mosquitto is None:
            raise ValueError("there are no peers in this run")
        return MosquittoServer(self.mosquitto, directory, address, self.authority)

    def reader(self, server: Server) -> Generator:
        """The subscriber to everything."""
        device = make_devices(Kind.AUTHORITY, [READER], self.authority)
        file = write_lines(self._new("reader"), [plain_line(device[0])])
        return DeviceLoad(self.programs.load, server.address, server.ca, file, keep_session=True)

    def generator(self, server: Server, devices: list[BenchDevice], **settings: Any) -> Generator:
        """A load generator that is these devices at `server`."""
        of_hub = isinstance(server, HubServer)
        lines = (hub_line(d, HUB, self._expires_at) if of_hub else plain_line(d) for d in devices)
        return self.load(server, lines, **settings)

    def load(
        self, server: Server, lines: Iterable[str], *, readers: Iterable[str] | None = None, **settings: Any
    ) -> Generator:
        """A load generator with these devices, and these readers of events."""
        devices = write_lines(self._new("devices"), lines)
        reading = None if readers is None else write_lines(self._new("readers"), readers)
        return DeviceLoad(self.programs.load, server.address, server.ca, devices, readers=reading, **settings)

    def caller(self, server: HubServer | FloorServer, requests: Iterable[bytes], connections: int) -> Contestant:
        """`server` and a load generator that sends it these requests, over and over."""
        file = self._new("requests")
        file.touch(mode=0o600)  # they hold tokens
        file.write_bytes(b"".join(len(request).to_bytes(4, "big") + request for request in requests))
        load = RestLoad(self.programs.rest, server.address, server.https, server.ca, file, connections=connections)
        return Contestant(server, load)

    @contextmanager
    def floor(self) -> Iterator[FloorServer]:
        """What a server in Python that does nothing takes."""
        server = FloorServer(self._new("floor"), FLOOR, self.authority)
        try:
            yield server
        finally:
            server.stop()

    def expires_at(self) -> int:
        """When the tokens of this run end, in seconds since the epoch."""
        return self._expires_at

    def contestant(self, server: Server, devices: list[BenchDevice], **settings: Any) -> Contestant:
        """`server` and a load generator that is these devices."""
        return Contestant(server, self.generator(server, devices, **settings))

    def record(self, measured: str, samples: Samples) -> Samples:
        """Keep what was taken for the JSON file; returns it."""
        for name, taken in samples.items():
            self.samples += [{"measured": measured, "of": name, **asdict(sample)} for sample in taken]
        return samples

    def add(self, *rows: Row) -> None:
        """Take results."""
        self.rows += rows
        for row in rows:
            ratio = "" if row.ratio is None else f", ratio {row.ratio:.2f} {row.verdict}"
            self.say(f"  {row.name}: {row.found} {row.unit}{ratio}")

    def _new(self, what: str) -> Path:
        self._made += 1
        return self.directory / f"{what}-{self._made}"


def preload(library: Path) -> dict[str, str]:
    """Return the environment that puts `library` before the C library."""
    before = os.environ.get("LD_PRELOAD", "")
    return {"LD_PRELOAD": f"{library}:{before}".rstrip(":")}
