"""A process that reads a whole stream for one consumer group with Microsoft's client, whatever happens to the hub.

Run with the stream's connection string, the group, the CA's path and a file; reads until its stdin ends. Writes a line
for each event as it comes: partition, sequence number, device and the number in its body. It goes on from its
checkpoints, which it keeps itself, so that an event may come again after a cut; who reads the file knows.
"""

import json
import sys
import threading
from collections.abc import Iterable
from typing import Any, TextIO

from azure.eventhub import CheckpointStore, EventData, EventHubConsumerClient


class Checkpoints(CheckpointStore):
    """Which partitions this process owns (all), and how far it has come."""

    def __init__(self) -> None:
        self._owned: dict[str, dict[str, Any]] = {}
        self._reached: dict[str, dict[str, Any]] = {}

    def list_ownership(self, *_: str, **__: Any) -> Iterable[dict[str, Any]]:
        """See `CheckpointStore`."""
        return [dict(each) for each in self._owned.values()]

    def claim_ownership(self, ownership_list: Iterable[dict[str, Any]], **_: Any) -> Iterable[dict[str, Any]]:
        """See `CheckpointStore`."""
        claimed = [{**each, "etag": "1", "last_modified_time": 1e12} for each in ownership_list]
        self._owned.update({each["partition_id"]: each for each in claimed})
        return claimed

    def update_checkpoint(self, checkpoint: dict[str, Any], **_: Any) -> None:
        """See `CheckpointStore`."""
        self._reached[checkpoint["partition_id"]] = checkpoint

    def list_checkpoints(self, *_: str, **__: Any) -> Iterable[dict[str, Any]]:
        """See `CheckpointStore`."""
        return list(self._reached.values())


def line_of(partition: str, event: EventData) -> str:
    """Return what is written of an event."""
    device = event.system_properties[b"iothub-connection-device-id"].decode()
    return f"{partition} {event.sequence_number} {device} {json.loads(event.body_as_str())['n']}\n"


def main(stream: str, group: str, trusted: str, path: str) -> None:
    """Read until stdin ends."""
    client = EventHubConsumerClient.from_connection_string(
        stream,
        group,
        checkpoint_store=Checkpoints(),
        connection_verify=trusted,
        load_balancing_interval=0.5,
        load_balancing_strategy="greedy",
        retry_total=0,
    )
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        read(client, file)


def read(client: EventHubConsumerClient, file: TextIO) -> None:
    """Write what comes; the checkpoint follows what is written."""
    writing = threading.Lock()

    def take(context: Any, events: list[EventData]) -> None:
        with writing:
            file.writelines(line_of(context.partition_id, event) for event in events)
            file.flush()
        if events:
            context.update_checkpoint(events[-1])

    asked: dict[str, Any] = {"starting_position": "-1", "max_batch_size": 500, "prefetch": 5000, "max_wait_time": 0.2}
    reader = threading.Thread(target=client.receive_batch, args=(take,), kwargs=asked)
    reader.start()
    sys.stdin.read()
    client.close()
    reader.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
