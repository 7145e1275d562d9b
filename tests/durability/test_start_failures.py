"""A data directory that cannot be used: `serve` ends with exit code 2 and one line that says what to do."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.durability.conftest import MakeHub
from tests.durability.faults import dies_at_start
from tests.fakes.running_hub import HubFailed, RunningHub

ERROR: Final = re.compile(r"error: ([a-z_.]+): .+ \(.+\)")
MESSAGES: Final = 12


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a hub that was stopped."""
    hub = RunningHub(tmp_path_factory.mktemp("good") / "data").start()
    hub.create_device("press-7")
    assert hub.events(count=1, facts="true")
    assert hub.stop() == 0
    return hub.data


def run_sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def cut(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


DAMAGES: Final[dict[str, tuple[str, Callable[[Path], object]]]] = {
    "a newer hub.db": (
        "store.too_new",
        lambda data: run_sql(data / "hub.db", "UPDATE alembic_version SET version_num = '9999'"),
    ),
    "a newer stream.db": ("store.too_new", lambda data: run_sql(data / "stream.db", "PRAGMA user_version = 99")),
    "no master.key": ("data.incomplete", lambda data: (data / "master.key").unlink()),
    "another master.key": ("store.corrupt", lambda data: (data / "master.key").write_text("00" * 32)),
    "half a master.key": ("data.unusable", lambda data: cut(data / "master.key", 0.5)),
    "no CA": ("data.incomplete", lambda data: (data / "pki" / "ca.pem").unlink()),
    "no hub.db": ("data.incomplete", lambda data: (data / "hub.db").unlink()),
    "an empty hub.db": ("data.incomplete", lambda data: cut(data / "hub.db", 0)),
    "half a hub.db": ("store.corrupt", lambda data: cut(data / "hub.db", 0.5)),
    "an empty stream.db": ("data.incomplete", lambda data: cut(data / "stream.db", 0)),
    "half a stream.db": ("store.corrupt", lambda data: cut(data / "stream.db", 0.5)),
    "something else for a hub.db": ("store.corrupt", lambda data: (data / "hub.db").write_bytes(b"hello" * 1000)),
}


def content(directory: Path) -> dict[str, bytes]:
    """Every file that tells whose hub it is."""
    keep = ("hub.db", "stream.db", "master.key", "admin.token", "pki/ca.key", "pki/ca.pem")
    return {name: (directory / name).read_bytes() for name in keep if (directory / name).exists()}


def refusal(hub: RunningHub) -> str:
    """Start the hub, which fails, and return the code of its error."""
    with pytest.raises(HubFailed, match=r"\Aexit 2: "):
        hub.start()
    lines = hub.log.splitlines()
    found = ERROR.fullmatch(lines[-1])
    assert found is not None, lines[-1]
    assert "Traceback" not in hub.log
    assert sum(line.startswith("error:") for line in lines) == 1
    return found[1]


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_directory_is_refused_as_it_is(make_hub: MakeHub, good: Path, tmp_path: Path, name: str) -> None:
    code, damage = DAMAGES[name]
    data = tmp_path / "data"
    shutil.copytree(good, data)
    damage(data)
    before = content(data)
    assert refusal(make_hub(data)) == code
    assert content(data) == before


@pytest.fixture
def read_only_directory(good: Path, tmp_path: Path) -> Iterator[Path]:
    """A directory that nobody can write to: root can, unless the file system itself is read-only."""
    place = tmp_path / "place"
    shutil.copytree(good, place / "data")
    if os.geteuid() == 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], check=True)
        shutil.copytree(good, place / "data")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    else:
        (place / "data" / "ironhub.lock").chmod(0o400)
        (place / "data").chmod(0o500)
    yield place / "data"
    if os.geteuid() == 0:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    else:
        (place / "data").chmod(0o700)


def test_a_read_only_directory_is_refused(make_hub: MakeHub, read_only_directory: Path, tmp_path: Path) -> None:
    hub = make_hub(read_only_directory)
    hub.log_path = tmp_path / "hub.log"
    assert refusal(hub) == "data.unusable"


def test_a_hub_that_is_killed_while_its_certificate_changes_starts_again(
    make_hub: MakeHub, good: Path, tmp_path: Path
) -> None:
    """Key and certificate are two files; a name more makes a new pair, and the third sync is the certificate's."""
    shutil.copytree(good, tmp_path / "data")
    hub = make_hub(None, "--hostname", "hub.example")
    assert dies_at_start(hub, "fsync:signal=SIGKILL:when=3")
    hub.start()
    assert len(hub.call("GET", "/devices")["devices"]) == 1
    assert hub.stop() == 0


@pytest.mark.parametrize("damaged", [0, MESSAGES - 1], ids=["oldest", "newest"])
def test_a_damaged_piece_of_the_log_costs_only_itself(make_hub: MakeHub, damaged: int) -> None:
    """A bit rots in stream.db: the hub starts, everything else can be read, and the damage is told and counted."""
    hub = make_hub().start()
    for number in range(MESSAGES):
        hub.create_device(f"press-{number}")
        assert hub.events(count=1, facts="true", device=f"press-{number}"), "each fact is a chunk of its own"
    before = hub.events(count=MESSAGES, facts="true")
    assert hub.stop() == 0
    lost = before[damaged]
    flip_a_bit(hub.data / "stream.db", lost["partition"], lost["sequence_number"])
    hub.start()
    params = {"from": "earliest", "facts": "true", "follow": "false"}
    with hub.admin() as admin:
        after = [line for line in admin.get("/events", params=params).text.splitlines() if line]
    assert len(after) == MESSAGES - 1
    assert f'"{lost["device_id"]}"' not in "".join(after)
    assert "event_log_damaged" in hub.log
    metrics = httpx.get(f"http://127.0.0.1:{hub.ready['metrics']}/metrics").text
    assert "ironhub_log_damaged_total 1.0" in metrics
    hub.create_device("press-new")
    assert hub.events(count=1, facts="true", device="press-new"), "it goes on behind the damage"
    assert hub.stop() == 0


def flip_a_bit(path: Path, partition: int, first: int) -> None:
    """Change one bit in the body of a chunk, where it lies in the file."""
    with closing(sqlite3.connect(path)) as connection:
        query = f"SELECT body FROM chunk_{partition} WHERE first = ?"
        body: bytes = connection.execute(query, (first,)).fetchone()[0]
    raw = bytearray(path.read_bytes())
    place = raw.index(body)
    raw[place + len(body) // 2] ^= 1
    path.write_bytes(raw)
