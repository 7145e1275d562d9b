"""Who gets in with Microsoft's unmodified Python device SDK, who does not, and who is thrown out."""

import hmac
import queue
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from azure.iot.device.exceptions import CredentialError
from tests.covers import covers
from tests.e2e.authorities import ProvenAuthority, prove
from tests.e2e.python_client import EVERY_KIND, KINDS, MQTT, PATIENCE, Kind, PythonClient, new_id
from tests.fakes.pki import FakeCertificate, make_authority, self_signed
from tests.fakes.running_hub import RunningHub

AT_ONCE = 1.0
"""Seconds after which nothing may rest on what was revoked (design, promise 2)."""
GOOD_KEY = b64encode(bytes(range(32))).decode()
OTHER_KEY = b64encode(bytes(range(32, 64))).decode()
THIRD_KEY = b64encode(bytes(range(64, 96))).decode()


def thumbprint_auth(*certificates: FakeCertificate) -> dict[str, Any]:
    """The credential of a device that is known by its certificates."""
    return {"kind": "x509-thumbprint", "thumbprints": [certificate.sha256_thumbprint for certificate in certificates]}


def keys_auth(primary: str, secondary: str) -> dict[str, Any]:
    """The credential of a device with keys of its own."""
    return {"kind": "sas", "keys": {"primary": primary, "secondary": secondary}}


def sas_token(resource: str, key: str) -> str:
    """A token that a back end signs for a device, good for an hour."""
    sr, se = quote(resource, safe=""), int(time.time()) + 3600
    signature = b64encode(hmac.digest(b64decode(key), f"{sr}\n{se}".encode(), "sha256"))
    return f"SharedAccessSignature sr={sr}&sig={quote(signature, safe='')}&se={se}"


def assert_refused(client: PythonClient) -> None:
    """The hub must say that the credential is not good."""
    with pytest.raises(CredentialError):
        client.connect()


def assert_thrown_out(client: PythonClient, act: Callable[[], object]) -> None:
    """`act` must end the session within a second, and the device must not come in again."""
    assert client.raw.connected
    act()
    client.wait_connected(False, AT_ONCE)
    assert_refused(client)


@covers("py:feature.sas-keys")
@EVERY_KIND
def test_either_key_opens_and_a_wrong_one_does_not(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"), auth=keys_auth(GOOD_KEY, OTHER_KEY))
    for key in (GOOD_KEY, OTHER_KEY):
        with kind.device(hub, device.connection_string.replace(GOOD_KEY, key)) as client:
            client.connect()
            client.send("in")
    with kind.device(hub, device.connection_string.replace(GOOD_KEY, THIRD_KEY)) as client:
        assert_refused(client)


@EVERY_KIND
def test_unknown_and_disabled_devices_are_refused(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    unknown = device.connection_string.replace(device.device_id, new_id("nobody"))
    with kind.device(hub, unknown) as client:
        assert_refused(client)
    hub.call("PATCH", f"/devices/{device.device_id}", json={"status": "disabled"})
    with kind.device(hub, device.connection_string) as client:
        assert_refused(client)
        hub.call("PATCH", f"/devices/{device.device_id}", json={"status": "enabled"})
        client.connect()
        client.send("in again")


@covers("py:IoTHubDeviceClient.create_from_x509_certificate", "py:feature.x509-thumbprint")
@EVERY_KIND
def test_a_self_signed_certificate_is_known_by_its_thumbprint(hub: RunningHub, kind: Kind, tmp_path: Path) -> None:
    device_id = new_id("press")
    certificate = self_signed(device_id)
    hub.create_device(device_id, auth=thumbprint_auth(certificate))
    with kind.with_certificate(hub, device_id, certificate, tmp_path) as client:
        client.connect()
        client.send("in")
    (event,) = hub.events(count=1, device=device_id)
    assert '"type":"x509"' in event["system_properties"]["iothub-connection-auth-method"]
    with kind.with_certificate(hub, device_id, self_signed(device_id), tmp_path) as client:
        assert_refused(client)


@covers("py:feature.x509-authority")
@EVERY_KIND
def test_a_chain_with_an_intermediate_ends_at_a_proven_authority(hub: RunningHub, kind: Kind, tmp_path: Path) -> None:
    device_id = new_id("press")
    root = prove(hub, make_authority(new_id("root")))
    certificate = make_authority(new_id("plant"), parent=root.authority).issue(device_id)
    hub.create_device(device_id, auth={"kind": "x509-ca"})
    with kind.with_certificate(hub, device_id, certificate, tmp_path) as client:
        client.connect()
        client.send("in")
        client.report({"in": True})
    assert hub.events(count=1, device=device_id)[0]["body"] == "in"


@covers("py:IoTHubModuleClient.create_from_x509_certificate")
@pytest.mark.parametrize("kind", KINDS[:2], ids=str)
def test_a_module_with_a_certificate_of_its_own_gets_in(hub: RunningHub, kind: Kind, tmp_path: Path) -> None:
    device = hub.create_device(new_id("press"))
    certificate = self_signed(f"{device.device_id}/arm")
    hub.create_module(device.device_id, "arm", auth=thumbprint_auth(certificate))
    with kind.with_certificate(hub, device.device_id, certificate, tmp_path, module_id="arm") as client:
        client.connect()
        client.send("in")
    assert hub.events(count=1, device=device.device_id)[0]["module_id"] == "arm"
    with kind.with_certificate(hub, device.device_id, certificate, tmp_path) as client:
        assert_refused(client)


@covers("py:IoTHubDeviceClient.create_from_sastoken", "py:IoTHubDeviceClient.update_sastoken")
def test_a_token_signed_elsewhere_opens_and_is_replaced_by_a_newer_one(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"), auth=keys_auth(GOOD_KEY, OTHER_KEY))
    resource = f"{hub.address}/devices/{device.device_id}"
    with MQTT.with_token(hub, sas_token(resource, GOOD_KEY)) as client:
        client.connect()
        client.send("first")
        client.run(client.raw.update_sastoken(sas_token(resource, OTHER_KEY)))
        client.send("second")
    assert [event["body"] for event in hub.events(count=2, device=device.device_id)] == ["first", "second"]
    for bad in (sas_token(resource, THIRD_KEY), sas_token(f"{resource}x", GOOD_KEY)):
        with MQTT.with_token(hub, bad) as client:
            assert_refused(client)


def test_an_authority_that_is_not_proven_admits_nobody(hub: RunningHub, tmp_path: Path) -> None:
    device_id = new_id("press")
    root = ProvenAuthority.register(hub, make_authority(new_id("root")))
    hub.create_device(device_id, auth={"kind": "x509-ca"})
    with MQTT.with_certificate(hub, device_id, root.authority.issue(device_id), tmp_path) as client:
        assert_refused(client)
        root.prove()
        client.connect()


def test_a_certificate_opens_no_device_but_the_one_it_names(hub: RunningHub, tmp_path: Path) -> None:
    mine, other = new_id("press"), new_id("press")
    root = prove(hub, make_authority(new_id("root")))
    for device_id in (mine, other):
        hub.create_device(device_id, auth={"kind": "x509-ca"})
    with MQTT.with_certificate(hub, other, root.authority.issue(mine), tmp_path) as client:
        assert_refused(client)


@EVERY_KIND
def test_disabling_a_device_throws_it_out(hub: RunningHub, kind: Kind) -> None:
    device = hub.create_device(new_id("press"))
    with kind.device(hub, device.connection_string, connection_retry=False) as client:
        client.connect()
        path = f"/devices/{device.device_id}"
        assert_thrown_out(client, lambda: hub.call("PATCH", path, json={"status": "disabled"}))


def test_deleting_a_device_throws_it_out_with_its_modules(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    module = hub.create_module(device.device_id, "arm")
    with (
        MQTT.device(hub, device.connection_string, connection_retry=False) as press,
        MQTT.module(hub, module.connection_string, connection_retry=False) as arm,
    ):
        press.connect()
        arm.connect()
        assert_thrown_out(press, lambda: hub.call("DELETE", f"/devices/{device.device_id}"))
        arm.wait_connected(False, AT_ONCE)


def test_rolling_a_key_throws_out_only_who_rests_on_it(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"), auth=keys_auth(GOOD_KEY, OTHER_KEY))
    path = f"/devices/{device.device_id}"
    with MQTT.device(hub, device.connection_string, connection_retry=False) as client:
        client.connect()
        hub.call("PATCH", path, json={"auth": keys_auth(GOOD_KEY, THIRD_KEY)})
        client.send("the other key was rolled")
        roll = {"auth": keys_auth(OTHER_KEY, THIRD_KEY)}
        assert_thrown_out(client, lambda: hub.call("PATCH", path, json=roll))


def test_removing_a_thumbprint_throws_out_only_who_rests_on_it(hub: RunningHub, tmp_path: Path) -> None:
    device_id = new_id("press")
    old, new = self_signed(device_id), self_signed(device_id)
    hub.create_device(device_id, auth=thumbprint_auth(old, new))
    path = f"/devices/{device_id}"
    with MQTT.with_certificate(hub, device_id, new, tmp_path, connection_retry=False) as client:
        client.connect()
        hub.call("PATCH", path, json={"auth": thumbprint_auth(new)})
        client.send("the other thumbprint is gone")
        assert_thrown_out(client, lambda: hub.call("PATCH", path, json={"auth": thumbprint_auth(old)}))


def test_a_revocation_list_throws_out_whom_it_names(hub: RunningHub, tmp_path: Path) -> None:
    lost, kept = new_id("press"), new_id("press")
    root = prove(hub, make_authority(new_id("root")))
    certificates = {device_id: root.authority.issue(device_id) for device_id in (lost, kept)}
    for device_id in certificates:
        hub.create_device(device_id, auth={"kind": "x509-ca"})
    with (
        MQTT.with_certificate(hub, lost, certificates[lost], tmp_path, connection_retry=False) as thief,
        MQTT.with_certificate(hub, kept, certificates[kept], tmp_path, connection_retry=False) as friend,
    ):
        thief.connect()
        friend.connect()
        assert_thrown_out(thief, lambda: root.revoke(certificates[lost]))
        friend.send("still in")


def test_forgetting_an_authority_throws_out_all_it_vouched_for(hub: RunningHub, tmp_path: Path) -> None:
    device_id = new_id("press")
    root = prove(hub, make_authority(new_id("root")))
    hub.create_device(device_id, auth={"kind": "x509-ca"})
    certificate = root.authority.issue(device_id)
    with MQTT.with_certificate(hub, device_id, certificate, tmp_path, connection_retry=False) as client:
        client.connect()
        assert_thrown_out(client, root.forget)


def test_of_two_clients_with_one_id_the_newest_wins(hub: RunningHub) -> None:
    device = hub.create_device(new_id("press"))
    with (
        MQTT.device(hub, device.connection_string, connection_retry=False) as old,
        MQTT.device(hub, device.connection_string, connection_retry=False) as new,
    ):
        old.connect()
        new.connect()
        old.wait_connected(False)
        received = new.messages()
        hub.call("POST", f"/devices/{device.device_id}/commands", json={"body": "for the newest"})
        assert received.get(timeout=PATIENCE).data == b"for the newest"
        assert new.connections.get(timeout=PATIENCE) is True
        with pytest.raises(queue.Empty):
            new.connections.get_nowait()
