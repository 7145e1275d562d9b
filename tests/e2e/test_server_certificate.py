"""The hub's own certificate changes, and devices that trust its authority do not notice."""

import ssl
import time

import pytest
from azure.iot.device.exceptions import ClientError
from tests.e2e.conftest import StartHub
from tests.e2e.python_client import EVERY_KIND, MQTT, Kind, new_id
from tests.fakes.running_hub import RunningHub

from ironhub.app.datadir import DataDirectory
from ironhub.app.system import SystemEntropy
from ironhub.pki.issuing import DAY, KeyPair, ends_at, issue_server_certificate


def shown(hub: RunningHub, port: str) -> str:
    """The certificate (PEM) that a listener shows; it must chain to the hub's authority and carry its address."""
    return ssl.get_server_certificate((hub.address, hub.ready[port]), ca_certs=str(hub.ca_path), timeout=10)


def put_certificate(hub: RunningHub, *, issued: float) -> None:
    """Let the stopped hub have a certificate that was issued at this instant."""
    directory = DataDirectory(hub.data)
    authority = KeyPair(directory.ca_certificate.read_bytes(), directory.ca_key.read_bytes())
    pair = issue_server_certificate(authority, [hub.address, "localhost"], now=issued, entropy=SystemEntropy())
    directory.write_private(directory.server_certificate, pair.certificate + authority.certificate)
    directory.write_private(directory.server_key, pair.key)


@pytest.mark.parametrize("age", [300, 500], ids=["near its end", "ended"])
def test_a_hub_that_was_away_for_long_comes_back_with_a_new_certificate(start_hub: StartHub, age: int) -> None:
    hub = start_hub()
    device = hub.create_device(new_id("press"))
    trusted = hub.ca_pem
    hub.stop()
    now = time.time()
    put_certificate(hub, issued=now - age * DAY)
    hub.start()
    assert hub.ca_pem == trusted
    for port in ("mqtt", "https"):
        assert ends_at(shown(hub, port).encode()) > now + 300 * DAY
    for kind in (MQTT, Kind(websockets=True)):
        with kind.device(hub, device.connection_string, server_verification_cert=trusted) as client:
            client.connect()
            client.send("in")


def test_a_restart_keeps_a_certificate_that_is_good(start_hub: StartHub) -> None:
    hub = start_hub()
    before = shown(hub, "mqtt")
    assert shown(hub, "https") == before
    hub.restart()
    assert shown(hub, "mqtt") == before


@EVERY_KIND
def test_a_device_does_not_talk_to_a_hub_that_its_authority_does_not_vouch_for(
    hub: RunningHub, start_hub: StartHub, kind: Kind
) -> None:
    device = hub.create_device(new_id("press"))
    other = start_hub()
    foreign = {"server_verification_cert": other.ca_pem}
    with kind.device(hub, device.connection_string, **foreign) as client, pytest.raises(ClientError):
        client.connect()
