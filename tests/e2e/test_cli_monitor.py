"""The Azure CLI's IoT extension monitors events: its steps, with the libraries it takes them with.

The extension itself is no package of a registry. Up to 0.25 it uses uamqp and SASL PLAIN, later ones the AMQP client
inside azure-eventhub and CBS; both find the stream by the redirect that the hub's own host answers with.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from azure.eventhub._pyamqp import ReceiveClient
from azure.eventhub._pyamqp.authentication import AccessToken, _CBSAuth
from azure.eventhub._pyamqp.error import AMQPLinkError, AMQPLinkRedirect
from tests.e2e.event_readers import PARTITIONS
from tests.e2e.python_client import new_id
from tests.fakes.raw_device import events_topic, online, policy_token
from tests.fakes.running_hub import RunningHub, hub_environment

SCRIPT: Final = Path(__file__).with_name("uamqp_monitor.py")


@contextmanager
def monitoring(hub: RunningHub, policy: str, since: int) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield what the monitor tells, until the block ends."""
    fields = dict(part.split("=", 1) for part in hub.connection_string(policy=policy).split(";"))
    given = {"host": hub.address, "policy": policy, "key": fields["SharedAccessKey"], "from": since}
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=hub_environment(SSL_CERT_FILE=str(hub.ca_path)),
    )
    assert process.stdout is not None
    try:
        yield (json.loads(line) for line in process.stdout)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_monitor_is_sent_to_the_stream_and_sees_what_comes(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with online(hub, device) as sender:
        sender.publish(events_topic(device), b"before")
        (before, *_) = hub.events(count=1, device=device.device_id)
        since = int(time.time() * 1000)
        with monitoring(hub, "iothubowner", since) as told:
            sent = next(told)["redirect"]
            assert (sent["hostname"], sent["port"]) == (hub.address, 5671)
            assert sent["address"] == f"amqps://{hub.address}:5671/events/$management"
            stream = next(told)["stream"]
            assert stream["name"] == "events"
            assert stream["partition_count"] == PARTITIONS
            assert stream["partition_ids"] == [str(number) for number in range(PARTITIONS)]
            assert next(told) == {"watching": PARTITIONS}
            sender.publish(events_topic(device), b"after")
            ours = (each for each in told if each["event"]["iothub-connection-device-id"] == device.device_id)
            event = next(ours)
    assert event["body"] == "after"
    assert int(event["event"]["x-opt-offset"]) > before["sequence_number"]


def test_a_policy_without_the_right_is_sent_nowhere(hub: RunningHub) -> None:
    with monitoring(hub, "registryRead", 0) as told:
        assert list(told) == []


def ask_for_redirect(hub: RunningHub, policy: str) -> None:
    """As extensions after 0.25: CBS with the hub's own audience, then a receiver where the redirect comes from."""
    source = f"amqps://{hub.address}/messages/events/$management"

    def token() -> AccessToken:
        return AccessToken(policy_token(hub, policy), int(time.time()) + 3600)

    auth = _CBSAuth(
        uri=source,
        audience=hub.address,
        token_type=b"servicebus.windows.net:sastoken",
        get_token=token,
        expires_in=3600,
        connection_verify=str(hub.ca_path),
    )
    client = ReceiveClient(  # type: ignore[no-untyped-call]  # the vendor's
        hub.address, source, auth=auth, timeout=30_000, prefetch=1, connection_verify=str(hub.ca_path)
    )
    try:
        client.open()  # type: ignore[no-untyped-call]  # the vendor's
        client.receive_message_batch(max_batch_size=1, timeout=5000)
    finally:
        client.close()  # type: ignore[no-untyped-call]


def test_later_extensions_are_sent_there_too(hub: RunningHub) -> None:
    with pytest.raises(AMQPLinkRedirect) as caught:
        ask_for_redirect(hub, "service")
    assert caught.value.hostname == hub.address
    assert caught.value.address == f"amqps://{hub.address}:5671/events/$management"
    with pytest.raises(AMQPLinkError) as refused:
        ask_for_redirect(hub, "registryRead")
    assert not isinstance(refused.value, AMQPLinkRedirect)
