"""A blob whose storing was acknowledged outlives SIGKILL whole; what was not is there whole or not at all."""

import hashlib
import random
import sqlite3
import ssl
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.durability.conftest import MakeHub
from tests.durability.form import FULL
from tests.fakes.running_hub import RunningHub

from ironhub.app.archive import restore_archive

LONG: Final = pytest.mark.timeout(1800 if FULL else 120)
KILLS: Final = 20 if FULL else 3
WRITERS: Final = 3
SEED: Final = 11
LONGEST: Final = 0.4
"""Seconds between the first acknowledged blob and the kill, at most."""
BLOCK: Final = {"x-ms-blob-type": "BlockBlob"}


class Uploads:
    """Writers that store blobs until the hub dies, and what they were told."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, str] = {}
        """Name → digest of the content that was acknowledged last."""
        self.begun: dict[str, set[str]] = {}
        """Name → digests of all that was ever sent."""
        self.stored = threading.Event()

    def write(self, hub: RunningHub, link: str, writer: int, chance: random.Random) -> None:
        """Store blobs, some over one another, some in blocks, until the connection breaks."""
        base, _, query = link.partition("?")
        try:
            with client(hub) as http:
                for number in range(10_000):
                    name = f"{writer}/{number % 7}"
                    data = chance.randbytes(chance.choice((10, 70_000, 700_000)))
                    digest = hashlib.sha256(data).hexdigest()
                    self.begun.setdefault(name, set()).add(digest)
                    self._store(http, f"{base}/{name}?{query}", data, in_blocks=number % 3 == 0)
                    self.acknowledged[name] = digest
                    self.stored.set()
        except httpx.TransportError:
            return

    def _store(self, http: httpx.Client, url: str, data: bytes, *, in_blocks: bool) -> None:
        if not in_blocks:
            http.put(url, content=data, headers=BLOCK).raise_for_status()
            return
        half = len(data) // 2
        for block, part in (("YQ%3D%3D", data[:half]), ("Yg%3D%3D", data[half:])):
            http.put(f"{url}&comp=block&blockid={block}", content=part).raise_for_status()
        listed = b"<BlockList><Latest>YQ==</Latest><Latest>Yg==</Latest></BlockList>"
        http.put(f"{url}&comp=blocklist", content=listed).raise_for_status()

    def check(self, hub: RunningHub, link: str) -> None:
        """Everything is there whole: what was acknowledged, or what was sent after it."""
        base, _, query = link.partition("?")
        with client(hub) as http:
            for name, digests in self.begun.items():
                answer = http.get(f"{base}/{name}?{query}")
                if name in self.acknowledged:
                    assert answer.status_code == 200, name
                if answer.status_code == 200:
                    assert hashlib.sha256(answer.content).hexdigest() in digests, name


def client(hub: RunningHub) -> httpx.Client:
    """Speaks to the hub and trusts it."""
    return httpx.Client(verify=ssl.create_default_context(cafile=str(hub.ca_path)), timeout=30)


def link_to(hub: RunningHub) -> str:
    """All rights to one container."""
    body = {"permissions": "rwdl", "hours": 1, "host": hub.address}
    url: str = hub.call("POST", "/files/containers/blobs-of-many/link", json=body)["url"]
    return url


def unfinished(hub: RunningHub) -> int:
    """Files on the disk that no row knows, and rows of files that were being written when the hub died."""
    with closing(sqlite3.connect(f"file:{hub.data / 'hub.db'}?mode=ro", uri=True)) as database:
        rows = dict(database.execute("SELECT content_id, state FROM blob_contents"))
    unknown = [path for path in (hub.data / "blobs").rglob("*") if path.is_file() and path.name not in rows]
    return len(unknown) + list(rows.values()).count("writing")


@LONG
def test_sigkill_during_uploads_loses_no_acknowledged_blob_and_leaves_no_half_one(make_hub: MakeHub) -> None:
    hub = make_hub().start()
    uploads, chance, link = Uploads(), random.Random(SEED), link_to(hub)
    for _ in range(KILLS):
        uploads.stored.clear()
        writers = [
            threading.Thread(target=uploads.write, args=(hub, link, number, random.Random(chance.random())))
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        assert uploads.stored.wait(30.0)
        killer = threading.Timer(chance.uniform(0, LONGEST), hub.kill)
        killer.start()
        for thread in (killer, *writers):
            thread.join(60.0)
            assert not thread.is_alive()
        hub.start()
        uploads.check(hub, link)
    assert len(uploads.acknowledged) > WRITERS
    hub.wait_for(lambda: unfinished(hub) == 0)
    assert unfinished(hub) == 0
    assert hub.stop() == 0


@LONG
def test_a_backup_taken_while_it_runs_holds_the_blobs(make_hub: MakeHub, tmp_path: Path) -> None:
    hub = make_hub().start()
    link, data = link_to(hub), random.Random(SEED).randbytes(300_000)
    base, _, query = link.partition("?")
    with client(hub) as http:
        http.put(f"{base}/a?{query}", content=data, headers=BLOCK).raise_for_status()
        http.put(f"{base}/a?{query}&comp=block&blockid=YQ%3D%3D", content=data).raise_for_status()
    with hub.admin() as admin:
        archive = tmp_path / "all.backup"
        archive.write_bytes(admin.post("/backup").content)
    with client(hub) as http:
        http.delete(f"{base}/a?{query}").raise_for_status()
    assert hub.stop() == 0
    restore_archive(archive, tmp_path / "again")
    again = RunningHub(tmp_path / "again", address=hub.address).start()
    try:
        with client(again) as http:
            assert http.get(f"{base}/a?{query}").content == data
            listed = b"<BlockList><Latest>YQ==</Latest></BlockList>"
            http.put(f"{base}/b?{query}&comp=blocklist", content=b"<BlockList/>").raise_for_status()
            http.put(f"{base}/a?{query}&comp=blocklist", content=listed).raise_for_status()
            assert http.get(f"{base}/a?{query}").content == data
    finally:
        assert again.stop() == 0
