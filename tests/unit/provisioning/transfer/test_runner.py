import asyncio
from typing import Any

import pytest
from tests.fakes.grants import by_policy
from tests.fakes.transfers import EXPORT, IMPORT, KEYS, READ, URI, WRITE, TransferWorld
from tests.fakes.trouble import until

from ironhub.access.model import Permission
from ironhub.core.ids import identity
from ironhub.identity.model import Right
from ironhub.provisioning.transfer import runner as runner_module
from ironhub.provisioning.transfer.model import (
    ERRORS_BLOB,
    TransferKind,
    TransferRequest,
    TransferStatus,
)


class Death:
    """Ends the runner as a stop of the hub would, at a certain read."""

    def __init__(self, reads: int) -> None:
        self._left = reads

    def nears(self) -> None:
        """One more read."""
        self._left -= 1
        if self._left == 0:
            raise asyncio.CancelledError

    def has_come(self) -> bool:
        """Whether it is over."""
        return self._left <= 0


@pytest.fixture
def world() -> TransferWorld:
    return TransferWorld()


async def test_an_import_creates_what_the_blob_says_and_tells_what_could_not_be_done(world: TransferWorld) -> None:
    world.containers.blobs["devices.txt"] = b"one\nbroken\ntwo\none\n" + b"x" * 600_000
    async with world.running():
        job = await world.service.create(WRITE, IMPORT)
        assert (job.status, job.progress) == (TransferStatus.ENQUEUED, 0)
        over = await world.done(job)
    assert (over.status, over.progress) == (TransferStatus.COMPLETED, 100)
    assert "3 of 5" in over.failure
    assert over.started_at is not None
    assert over.ended_at is not None
    assert await world.devices() == ["one", "two"]
    told = world.containers.blobs[ERRORS_BLOB].splitlines()
    assert told == [b"2 ? argument.invalid", b"4 one device.exists", b"5 ? argument.invalid"]
    assert over.request.input_uri == over.request.output_uri == "https://good/c"


async def test_an_import_without_errors_leaves_no_list_of_them(world: TransferWorld) -> None:
    world.containers.blobs["devices.txt"] = b"one\ntwo"
    async with world.running():
        over = await world.done(await world.service.create(WRITE, IMPORT))
    assert (over.status, over.failure) == (TransferStatus.COMPLETED, "")
    assert ERRORS_BLOB not in world.containers.blobs


async def test_an_import_that_was_interrupted_goes_on_and_does_no_row_twice(
    world: TransferWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "BATCH", 10)
    ids = [f"d{number:03d}" for number in range(100)]
    world.containers.blobs["devices.txt"] = "\n".join([*ids[:5], "broken", *ids[5:]]).encode()
    for _ in range(4):  # the process dies in the middle, again and again
        end = Death(reads=3)
        world.containers.on_read = end.nears
        async with world.running():
            if not await world.service.list(READ):
                job = await world.service.create(WRITE, IMPORT)
            await until(end.has_come)
        assert 0 < len(await world.devices()) < 100
    world.containers.on_read = lambda: None
    async with world.running():
        over = await world.done(job)
    assert over.status is TransferStatus.COMPLETED
    assert await world.devices() == ids
    assert world.containers.blobs[ERRORS_BLOB] == b"6 ? argument.invalid\n"


async def test_errors_that_were_written_before_a_crash_took_their_rows_back_are_not_told_twice(
    world: TransferWorld,
) -> None:
    world.containers.blobs["devices.txt"] = b"broken\n"
    job = await world.service.create(WRITE, IMPORT)
    world.spools.open(job.job_id).append(b"left over\n")
    async with world.running():
        await world.done(job)
    assert world.containers.blobs[ERRORS_BLOB] == b"1 ? argument.invalid\n"


@pytest.mark.parametrize("with_keys", [True, False])
async def test_an_export_holds_all_with_keys_only_if_wanted(world: TransferWorld, with_keys: bool) -> None:
    await world.hub.register(identity("a"), identity("a", "m"), identity("b"))
    request = TransferRequest(kind=TransferKind.EXPORT, output_uri=URI, output_blob="all", with_keys=with_keys)
    async with world.running():
        over = await world.done(await world.service.create(WRITE, request, reading=KEYS))
    assert over.status is TransferStatus.COMPLETED
    assert world.containers.blobs["all"] == f"a {with_keys}\na/m {with_keys}\nb {with_keys}\n".encode()


async def test_a_job_that_cannot_be_done_fails_and_says_why_and_the_next_one_runs(world: TransferWorld) -> None:
    async with world.running():
        missing = await world.done(await world.service.create(WRITE, IMPORT))
        assert missing.status is TransferStatus.FAILED
        assert "no such blob" in missing.failure

        def bug() -> None:
            raise ZeroDivisionError

        world.containers.on_read = bug
        world.containers.blobs["devices.txt"] = b"one"
        broken = await world.done(await world.service.create(WRITE, IMPORT))
        assert broken.status is TransferStatus.FAILED
        assert "log" in broken.failure
        world.containers.on_read = lambda: None
        assert (await world.done(await world.service.create(WRITE, IMPORT))).status is TransferStatus.COMPLETED


async def test_a_job_is_cancelled_before_and_while_it_runs(
    world: TransferWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "BATCH", 1)
    waiting = await world.service.create(WRITE, IMPORT)
    assert (await world.service.cancel(WRITE, waiting.job_id)).status is TransferStatus.CANCELLED
    world.containers.blobs["devices.txt"] = b"\n".join(b"d%d" % number for number in range(50))
    cancelling: list[asyncio.Task[Any]] = []
    async with world.running():
        job = await world.service.create(WRITE, IMPORT)

        def cancel() -> None:
            if not cancelling:
                cancelling.append(asyncio.create_task(world.service.cancel(WRITE, job.job_id)))

        world.containers.piece, world.containers.on_read = 8, cancel
        over = await world.done(job)
        assert over.status is TransferStatus.CANCELLED
        world.containers.on_read = lambda: None
        following = await world.done(await world.service.create(WRITE, EXPORT, reading=KEYS))
        assert following.status is TransferStatus.COMPLETED
    assert len(await world.devices()) < 50


@pytest.mark.parametrize("left", [None, frozenset({Right.REGISTRY_READ, Right.SERVICE_CONNECT})])
async def test_an_import_ends_when_its_creator_may_no_more(
    world: TransferWorld, monkeypatch: pytest.MonkeyPatch, left: frozenset[Right] | None
) -> None:
    monkeypatch.setattr(runner_module, "BATCH", 1)
    world.containers.blobs["devices.txt"] = b"\n".join(b"d%d" % number for number in range(50))
    grant = by_policy(Permission.TRANSFER_WRITE, Right.REGISTRY_WRITE)

    reads = 0

    def roll() -> None:
        nonlocal reads
        reads += 1
        if reads == 3:
            world.recall.rights = left

    world.containers.piece, world.containers.on_read = 8, roll
    async with world.running():
        over = await world.done(await world.service.create(grant, IMPORT))
    assert over.status is TransferStatus.FAILED
    assert "not good any more" in over.failure
    assert 0 < len(await world.devices()) < 50


@pytest.mark.parametrize("left", [None, frozenset({Right.REGISTRY_WRITE, Right.SERVICE_CONNECT})])
async def test_an_export_is_not_written_when_its_creator_may_no_more(
    world: TransferWorld, monkeypatch: pytest.MonkeyPatch, left: frozenset[Right] | None
) -> None:
    monkeypatch.setattr(runner_module, "PAGE", 1)
    await world.hub.register(identity("a"), identity("b"))
    grant = by_policy(Permission.TRANSFER_WRITE, Right.REGISTRY_WRITE)
    job = await world.service.create(grant, EXPORT, reading=KEYS)
    world.recall.rights = left  # the hub was stopped, the key was rolled: the job would have gone on
    async with world.running():
        over = await world.done(job)
    assert over.status is TransferStatus.FAILED
    assert "not good any more" in over.failure
    assert world.containers.blobs == {}
