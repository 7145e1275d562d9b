"""The vendor's Python service SDK over AMQP, in a process that trusts what its environment says.

python service_sdk.py     one JSON request a line on stdin, one JSON answer a line on stdout
"""

import json
import sys
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

WAIT: Final = 15_000
"""Milliseconds without a message after which a receiver gives up."""


class Sdk:
    """What the process does when asked."""

    def __init__(self) -> None:
        self._managers: dict[str, Any] = {}

    def open(self, handle: str, connection_string: str, websocket: bool) -> None:
        """Make a registry manager; it connects when it first sends."""
        from azure.iot.hub import IoTHubRegistryManager
        from uamqp import TransportType

        kind = TransportType.AmqpOverWebsocket if websocket else TransportType.Amqp
        self._managers[handle] = IoTHubRegistryManager.from_connection_string(connection_string, transport_type=kind)

    def send(self, handle: str, device: str, text: str, properties: dict[str, Any]) -> None:
        """`IoTHubRegistryManager.send_c2d_message`. Raises what the SDK raises."""
        self._managers[handle].send_c2d_message(device, text, properties)

    def close(self, handle: str) -> None:
        """Let go of the connection."""
        self._managers.pop(handle).amqp_svc_client.disconnect_sync()

    def send_plain(self, host: str, user: str, token: str, to: str, text: str, properties: dict[str, str]) -> list[str]:
        """Send as the Azure CLI does: SASL PLAIN, one message; returns the states that uamqp gives."""
        import uamqp

        message = uamqp.Message(
            text.encode(),
            properties=uamqp.message.MessageProperties(message_id=properties.pop("messageId"), to=to),
            application_properties=properties,
        )
        client = uamqp.SendClient(f"amqps://{_login(user, token)}@{host}/messages/devicebound")
        client.queue_message(message)
        return [str(state) for state in client.send_all_messages()]

    def feedback_plain(self, host: str, user: str, token: str, count: int) -> list[Any]:
        """Receive `count` batches of feedback as the Azure CLI does; each is completed."""
        import uamqp

        client = uamqp.ReceiveClient(
            f"amqps://{_login(user, token)}@{host}/messages/servicebound/feedback", timeout=WAIT
        )
        batches = []
        for message in client.receive_messages_iter():
            batches.append(json.loads(b"".join(message.get_data())))
            if len(batches) == count:
                break
        client.close()
        return batches


def _login(user: str, token: str) -> str:
    return f"{quote(user, safe='')}:{quote(token, safe='')}"


def main() -> None:
    """Answer until stdin ends."""
    sdk = Sdk()
    for line in sys.stdin:
        request = json.loads(line)
        action: Callable[..., Any] = getattr(sdk, request["action"])
        try:
            answer = {"result": action(**request["arguments"])}
        except Exception as error:
            answer = {"error": {"name": type(error).__name__, "message": str(error)}}
        sys.stdout.write(json.dumps({"id": request["id"], **answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
