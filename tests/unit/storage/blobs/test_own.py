"""Uploads into the hub's own blobs."""

from tests.fakes.clock import START
from tests.fakes.files import ACCOUNT, SmallFiles, by_link, incoming

from ironhub.access.model import Permission
from ironhub.dialects.azure.blob_sas import decode_link
from ironhub.messaging.files.model import StoredFile


async def test_a_device_writes_where_it_reached_the_hub_and_what_lies_there_is_known() -> None:
    files = SmallFiles()
    assert files.depot.host("hub:443") == "hub:443"
    token = files.depot.sign("d/a", now=START, expires_at=START + 9.0)
    assert files.links.admit(decode_link(token, ACCOUNT.name, "uploads", "d/a")).blob == "d/a"
    assert await files.depot.stored("uploads", "d/a") is None
    await files.put("d/a", b"12345")
    assert await files.depot.stored("uploads", "d/a") == StoredFile(5, START)


async def test_what_is_given_up_loses_its_blocks_and_keeps_what_was_completed() -> None:
    files = SmallFiles()
    await files.put("d/a", b"12345")
    await files.keeper.put_block(by_link(Permission.BLOB_WRITE, "d/a"), "YQ==", incoming(b"x"))
    await files.depot.give_up("uploads", "d/a")
    assert await files.keeper.collect(9) == 1
    assert await files.depot.stored("uploads", "d/a") is not None
