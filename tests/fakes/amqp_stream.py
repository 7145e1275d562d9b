"""Readers of the stream of telemetry, on the AMQP head in memory."""

from collections.abc import Sequence

from tests.fakes.amqp_client import ClientLink, Received, filtered_source, selector
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.streams import entries, stored

from ironhub.wire.amqp import encode

GROUP = "$Default"


def partition_address(partition: int | str = 0, group: str = GROUP) -> str:
    """Where the events of a partition are."""
    return f"amqps://hub.example/events/ConsumerGroups/{group}/Partitions/{partition}"


def reader(
    peer: Peer,
    start: str | None = "x-opt-offset > '-1'",
    *,
    partition: int | str = 0,
    group: str = GROUP,
    credit: int | None = 1000,
    epoch: int | None = None,
    properties: Sequence[tuple[str, bytes]] = (),
    metrics: bool = False,
) -> ClientLink:
    """Attach a receiver that begins where `start` says, as clients write it; None: no filter."""
    address = partition_address(partition, group)
    filters = [] if start is None else [selector(f"amqp.annotation.{start}")]
    held = [] if epoch is None else [("com.microsoft:epoch", encode.long(epoch))]
    return peer.client.receiver(
        address,
        credit=credit,
        properties=[*held, *properties],
        terminus=filtered_source(address, filters),
        capabilities=["com.microsoft:enable-receiver-runtime-metric"] if metrics else [],
    )


async def append(hub: AmqpHub, *numbers: int, partition: int = 0) -> None:
    """Store an event for each number; its body is `{"n":number}`."""
    await stored(hub.log, partition, entries(*numbers))


def numbers_of(messages: Sequence[Received]) -> list[object]:
    """The sequence numbers of events."""
    return [message.annotations["x-opt-sequence-number"] for message in messages]
