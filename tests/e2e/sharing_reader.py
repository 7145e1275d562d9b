"""One of several processes that share a stream's partitions through checkpoints in blob storage.

Run with the connection strings of the stream and of the storage account, the container, and the CA's path; reads until
its stdin ends. Tells, a JSON object a line, which partitions it begins and ends with and which events it has done.
"""

import json
import sys
import threading
from typing import Any

from azure.eventhub import EventHubConsumerClient
from azure.eventhub.extensions.checkpointstoreblob import BlobCheckpointStore


def tell(**what: Any) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def done(context: Any, event: Any) -> None:
    """An event is done when its checkpoint is stored."""
    context.update_checkpoint(event)
    tell(event=[context.partition_id, event.sequence_number])


def main(stream: str, storage: str, container: str, trusted: str) -> None:
    """Read until stdin ends."""
    store = BlobCheckpointStore.from_connection_string(storage, container)
    client = EventHubConsumerClient.from_connection_string(
        stream,
        "$Default",
        checkpoint_store=store,
        connection_verify=trusted,
        load_balancing_interval=1,
        partition_ownership_expiration_interval=6,
    )
    handlers: dict[str, Any] = {
        "on_event": done,
        "on_error": lambda context, error: tell(error=str(error)),
        "on_partition_initialize": lambda context: tell(begun=context.partition_id),
        "on_partition_close": lambda context, reason: tell(ended=context.partition_id),
    }
    reader = threading.Thread(target=client.receive, kwargs={**handlers, "starting_position": "-1"})
    reader.start()
    sys.stdin.read()
    client.close()
    reader.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
