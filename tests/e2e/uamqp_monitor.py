"""Watches a hub's events in the steps of the Azure CLI's IoT extension (0.25), with the library that it uses, uamqp.

Run with a JSON object of host, policy, key (base64) and from (milliseconds since the epoch) as its argument, and with
SSL_CERT_FILE set. Tells, a JSON object a line, where it was sent, what the stream said of itself, and the events; ends
when it is killed.
"""

import json
import sys
import time
from base64 import b64decode
from typing import Any
from urllib.parse import quote

import uamqp

from ironhub.identity.sas import make_sas_token

GROUP = "$Default"


def tell(**what: Any) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(what, default=bytes.decode) + "\n")
    sys.stdout.flush()


def redirected(host: str, policy: str, key: str) -> tuple[str, str]:
    """Step 1: ask the hub's own host, with a policy's token as the password; returns the stream's host and address."""
    token = make_sas_token(host, b64decode(key), int(time.time()) + 360, policy=policy)
    user = quote(f"{policy}@sas.root.{host.split('.')[0]}", safe="")
    source = uamqp.address.Source(f"amqps://{user}:{quote(token, safe='')}@{host}/messages/events/$management")
    client = uamqp.ReceiveClient(source, timeout=30_000, prefetch=1)
    try:
        client.open()
        client.receive_message_batch(max_batch_size=1)
    except uamqp.errors.LinkRedirect as redirect:
        tell(redirect={"hostname": redirect.hostname, "address": redirect.address, "port": redirect.port})
        return redirect.hostname.decode(), redirect.address.decode()
    finally:
        client.close()
    raise AssertionError("it was not sent elsewhere")


def partition_count(address: str, entity: str, auth: Any) -> int:
    """Step 2: ask the stream about itself."""
    client = uamqp.ReceiveClient(uamqp.address.Source(address), auth=auth, timeout=30_000)
    try:
        client.open()
        answer = client.mgmt_request(
            uamqp.Message(application_properties={"name": entity}),
            b"READ",
            op_type=b"com.microsoft:eventhub",
            status_code_field=b"status-code",
            description_fields=b"status-description",
            timeout=30_000,
        ).get_data()
        tell(stream={name.decode(): answer[name] for name in (b"name", b"partition_count", b"partition_ids")})
        return int(answer[b"partition_count"])
    finally:
        client.close()


def watch(host: str, entity: str, partitions: int, auth: Any, since: int) -> None:
    """Step 3: a receiver for each partition, on one connection."""
    connection = uamqp.Connection(host, sasl=auth, container_id="monitor")
    receivers = []
    for partition in range(partitions):
        source = uamqp.address.Source(f"amqps://{host}/{entity}/ConsumerGroups/{GROUP}/Partitions/{partition}")
        source.set_filter(b"amqp.annotation.x-opt-enqueuedtimeutc > %d" % since)
        receiver = uamqp.ReceiveClient(source, auth=auth, timeout=30_000, prefetch=0)
        receiver.open(connection=connection)
        receivers.append(receiver)
    tell(watching=partitions)
    while True:
        for receiver in receivers:
            for message in receiver.receive_message_batch(max_batch_size=10, timeout=200):
                annotations = {name: value for name, value in message.annotations.items() if isinstance(value, bytes)}
                tell(
                    event={name.decode(): value for name, value in annotations.items()},
                    body=b"".join(message.get_data()),
                )


def main(host: str, policy: str, key: str, since: int) -> None:
    """All three."""
    stream_host, address = redirected(host, policy, key)
    entity = address.replace("amqps://", "").split("/")[1]

    def signed_in() -> Any:
        return uamqp.authentication.SASTokenAuth.from_shared_access_key(f"sb://{stream_host}/{entity}", policy, key)

    count = partition_count(address, entity, signed_in())
    watch(stream_host, entity, count, signed_in(), since)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    main(given["host"], given["policy"], given["key"], given["from"])
