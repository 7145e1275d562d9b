import json

from tests.fakes.amqp_client import ClientLink, Received
from tests.fakes.amqp_head import AmqpHub, Peer

from ironhub.core.ids import identity
from ironhub.identity.model import Right
from ironhub.messaging.files.model import FileNotice, Upload
from ironhub.wire.amqp.outcomes import RELEASED
from ironhub.wire.amqp.properties import decode_properties

PRESS = identity("press-7")
FILES = "/messages/servicebound/filenotifications"


async def listener(hub: AmqpHub) -> tuple[Peer, ClientLink]:
    """A back end that listens."""
    peer = await hub.backend()
    link = peer.client.receiver(FILES)
    await peer.settle()
    assert link.is_open
    return peer, link


async def upload(hub: AmqpHub, name: str) -> None:
    """A file came."""
    now, blob = hub.clock.now(), f"press-7/{name}"
    begun = Upload(
        correlation_id=name,
        identity=PRESS,
        host="hub.example",
        container="uploads",
        blob=blob,
        created_at=now,
        expires_at=now + 60,
    )
    notice = FileNotice(
        identity=PRESS,
        blob=blob,
        uri=f"https://hub.example/uploads/{blob}",
        size=17,
        modified_at=now,
        enqueued_at=now,
        expires_at=now + 3600,
    )
    await hub.stores.uploads.add_upload(begun, max_open=10)
    await hub.stores.uploads.end_upload(begun, notice)
    hub.amqp.uploads.arrivals.tell()


async def comes(peer: Peer, link: ClientLink) -> Received:
    """The next notification."""
    await peer.until(lambda: link.messages)
    return link.messages.pop(0)


def blob_of(received: Received) -> str:
    name: str = json.loads(received.body)["blobName"]
    return name


async def test_each_file_is_told_in_a_message_of_its_own(hub: AmqpHub) -> None:
    await upload(hub, "a")
    peer, link = await listener(hub)
    await upload(hub, "b")
    first, second = await comes(peer, link), await comes(peer, link)
    assert (blob_of(first), blob_of(second)) == ("press-7/a", "press-7/b")
    assert json.loads(first.body)["blobSizeInBytes"] == 17
    said = decode_properties(first.message.properties)
    assert said.content_type == "application/vnd.microsoft.iothub.filenotification.json"


async def test_what_is_completed_is_gone_and_what_is_given_back_comes_again(hub: AmqpHub) -> None:
    peer, link = await listener(hub)
    await upload(hub, "a")
    peer.client.dispose(link, (await comes(peer, link)).delivery_id, kind=RELEASED)
    again = await comes(peer, link)
    assert blob_of(again) == "press-7/a"
    peer.client.dispose(link, again.delivery_id)
    await peer.settle()
    found = await hub.stores.uploads.list_notifications(after=0, limit=10, now=hub.clock.now())
    assert (found, link.messages) == ([], [])


async def test_only_back_ends_with_the_right_hear_of_it(hub: AmqpHub) -> None:
    press = await hub.device(PRESS)
    reader = await hub.connected(await hub.policy_token("reader", Right.REGISTRY_READ, Right.DEVICE_CONNECT))
    for peer in (press, reader):
        link = peer.client.receiver(FILES)
        await peer.settle()
        assert link.refusal == "amqp:unauthorized-access"
