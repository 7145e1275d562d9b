"""Tests of console/routes/consumer_groups.py."""

from tests.fakes.grants import by_operator
from tests.unit.console.conftest import Desk

from ironhub.access.model import Permission
from ironhub.core.errors import HubError


class Reader:
    """Reads a partition and writes down why it ended."""

    name = "reader"

    def __init__(self) -> None:
        self.over: list[str] = []

    def stolen(self, *, newer: int, own: int | None) -> None:
        raise AssertionError("nobody took its place")

    def ended(self, error: HubError) -> None:
        self.over.append(error.code)


async def test_every_hub_has_one_group(desk: Desk) -> None:
    listed = await desk.ok("GET", "/consumer-groups")
    assert listed == {"consumer_groups": [{"name": "$Default", "created_at": None, "readers": 0}]}
    assert await desk.refused("DELETE", "/consumer-groups/$default") == (409, "consumer_group.needed")


async def test_a_group_is_made_shown_and_deleted(desk: Desk) -> None:
    made = await desk.ok("PUT", "/consumer-groups/Billing")
    assert (made["name"], made["readers"]) == ("Billing", 0)
    assert made["created_at"].endswith("Z")
    assert await desk.ok("PUT", "/consumer-groups/billing") == made
    assert await desk.ok("GET", "/consumer-groups/BILLING") == made
    names = [group["name"] for group in (await desk.ok("GET", "/consumer-groups"))["consumer_groups"]]
    assert names == ["$Default", "Billing"]
    assert await desk.ok("DELETE", "/consumer-groups/billing") is None
    assert await desk.refused("DELETE", "/consumer-groups/billing") == (404, "consumer_group.not_found")
    assert await desk.refused("GET", "/consumer-groups/billing") == (404, "consumer_group.not_found")


async def test_readers_are_counted_and_cut_off_when_their_group_goes(desk: Desk) -> None:
    await desk.ok("PUT", "/consumer-groups/billing")
    readers = [Reader(), Reader()]
    for partition, reader in enumerate(readers):
        await desk.services.consumers.enter(by_operator(Permission.TELEMETRY_READ), "Billing", partition, reader)
    assert (await desk.ok("GET", "/consumer-groups/billing"))["readers"] == 2
    await desk.ok("DELETE", "/consumer-groups/billing")
    assert [reader.over for reader in readers] == [["consumer_group.deleted"]] * 2


async def test_bad_names_and_too_many_groups_are_refused(desk: Desk) -> None:
    assert await desk.refused("PUT", "/consumer-groups/-x") == (400, "argument.invalid")
    for number in range(19):
        await desk.ok("PUT", f"/consumer-groups/g{number}")
    assert await desk.refused("PUT", "/consumer-groups/one-more") == (413, "consumer_group.too_many")
