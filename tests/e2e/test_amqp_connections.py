"""AMQP connections of other makers' clients to a running hub: how they log in, and when they end."""

import base64
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from proton import ConnectionException, Message, SSLDomain
from proton.utils import BlockingConnection, LinkDetached
from tests.fakes.amqp_client import SAS_TYPE, ClientLink, Line
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.heads.sockets import MAX_SEGMENT
from ironhub.identity.sas import make_sas_token

ACCEPTED = 0x24
TIMEOUT = 15.0
PROMISED = 1.0
"""Seconds within which a right that ended is gone."""
FEEDBACK = "/messages/servicebound/feedback"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that also listens without TLS."""
    data = tmp_path_factory.mktemp("amqp") / "data"
    running = RunningHub(data, arguments=("--mqtt-port", "0", "--https-port", "0", "--amqp-plain-port", "0")).start()
    yield running
    assert running.stop() == 0


def token_of(hub: RunningHub, device: Registered) -> str:
    """A token of the device's own."""
    who = device.device_id if device.module_id is None else f"{device.device_id}/modules/{device.module_id}"
    return make_sas_token(f"{hub.address}/devices/{who}", base64.b64decode(device.primary_key), int(time.time()) + 600)


def policy_token(hub: RunningHub, policy: str) -> str:
    """A token of a policy, for the whole hub."""
    said = dict(part.split("=", 1) for part in hub.connection_string(policy=policy).split(";"))
    key = base64.b64decode(said["SharedAccessKey"])
    return make_sas_token(hub.address, key, int(time.time()) + 600, policy)


@contextmanager
def proton(hub: RunningHub, user: str, password: str) -> Iterator[BlockingConnection]:
    """A connection of Qpid Proton that logged in with a user name and a password."""
    domain = SSLDomain(SSLDomain.MODE_CLIENT)
    domain.set_trusted_ca_db(str(hub.ca_path))
    domain.set_peer_authentication(SSLDomain.VERIFY_PEER)
    url = f"amqps://{hub.address}:{hub.ready['amqp']}"
    connection = BlockingConnection(
        url, ssl_domain=domain, user=user, password=password, allowed_mechs="PLAIN", timeout=TIMEOUT
    )
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def line_to(hub: RunningHub) -> Iterator[Line]:
    """A connection of the tests' own client."""
    line = Line(hub.address, hub.ready["amqp"], ssl.create_default_context(cafile=str(hub.ca_path)))
    try:
        yield line
    finally:
        line.close()


def attached(line: Line, link: ClientLink) -> ClientLink:
    """Wait until the hub has opened the link."""
    line.until(lambda: link.is_open)
    return link


def is_gone_in_time(line: Line, link: ClientLink, since: float) -> None:
    """The link ends within what is promised, without another word, and its connection soon after."""
    line.until(lambda: link.detached)
    assert time.monotonic() - since < PROMISED
    assert link.refusal == "amqp:unauthorized-access"
    line.until_cut()


def test_a_device_logs_in_with_its_token_as_password(hub: RunningHub) -> None:
    device = hub.create_device("proton-1")
    label = hub.address.partition(".")[0]
    for name in (label, hub.address):
        with proton(hub, f"proton-1@sas.{name}", token_of(hub, device)) as connection:
            sender = connection.create_sender("/devices/proton-1/messages/events")
            assert sender.send(Message(body=b"x" * 200_000)).remote_state == ACCEPTED
            with pytest.raises(LinkDetached, match="amqp:unauthorized-access"):
                connection.create_sender("/devices/proton-2/messages/events")
    assert len(hub.events(count=2, device="proton-1")) == 2


def test_a_policy_and_a_module_log_in_likewise(hub: RunningHub) -> None:
    hub.create_device("proton-3")
    module = hub.create_module("proton-3", "arm")
    with proton(hub, f"proton-3/modules/arm@sas.{hub.address}", token_of(hub, module)) as connection:
        sender = connection.create_sender("/devices/proton-3/modules/arm/messages/events")
        assert sender.send(Message(body=b"x")).remote_state == ACCEPTED
    with proton(hub, f"service@sas.root.{hub.address}", policy_token(hub, "service")) as connection:
        sender = connection.create_sender("/messages/devicebound")
        said = Message(body=b"x", address="/devices/proton-3/messages/devicebound")
        assert sender.send(said).remote_state == ACCEPTED


def test_a_wrong_password_is_refused(hub: RunningHub) -> None:
    with (
        pytest.raises(ConnectionException, match="Authentication failed"),
        proton(hub, f"service@sas.root.{hub.address}", "secret"),
    ):
        pass


def test_a_client_of_an_emulator_is_served_without_tls(hub: RunningHub) -> None:
    token = token_of(hub, hub.create_device("proton-4"))
    url = f"amqp://{hub.address}:{hub.ready['amqp_plain']}"
    connection = BlockingConnection(url, timeout=TIMEOUT, allowed_mechs="ANONYMOUS")
    requests, replies = connection.create_sender("$cbs"), connection.create_receiver("$cbs", credit=1)
    asked = {"operation": "put-token", "type": SAS_TYPE, "name": "audience"}
    requests.send(Message(id="7", reply_to="cbs", properties=asked, body=token))
    answer = replies.receive(timeout=TIMEOUT)
    assert cast("dict[str, int]", answer.properties)["status-code"] == 200
    assert answer.correlation_id == "7"
    sender = connection.create_sender("/devices/proton-4/messages/events")
    assert sender.send(Message(body=b"x")).remote_state == ACCEPTED
    connection.close()
    assert hub.log.count('"amqp_without_tls"') == 1


def test_segments_are_as_short_as_some_clients_ask_for(hub: RunningHub) -> None:
    """Some write back what they read, and Linux takes less than it reports on loopback (azure-service-api 12.5)."""
    for port in (hub.ready["amqp"], hub.ready["amqp_plain"]):
        with socket.create_connection((hub.address, port)) as client:
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= MAX_SEGMENT


def test_a_rolled_key_ends_the_back_ends_that_signed_with_it_within_a_second(hub: RunningHub) -> None:
    hub.call("PUT", "/policies/reader", json={"rights": ["ServiceConnect"]})
    with line_to(hub) as line, line_to(hub) as other:
        assert line.put_token(policy_token(hub, "reader")) == 200
        assert other.put_token(policy_token(hub, "service")) == 200
        link = attached(line, line.client.receiver(FEEDBACK))
        kept = attached(other, other.client.receiver(FEEDBACK))
        old = policy_token(hub, "reader")
        since = time.monotonic()
        hub.call("POST", "/policies/reader/roll", json={"key": "primary"})
        is_gone_in_time(line, link, since)
        assert other.put_token(policy_token(hub, "service")) == 200
        assert kept.is_open
    with line_to(hub) as line:
        assert line.put_token(old) == 401
        assert line.put_token(policy_token(hub, "reader")) == 200


@pytest.mark.parametrize("change", ["rights", "deletion"])
def test_a_policy_that_changes_ends_its_back_ends_within_a_second(hub: RunningHub, change: str) -> None:
    hub.call("PUT", f"/policies/{change}", json={"rights": ["ServiceConnect", "RegistryRead"]})
    with line_to(hub) as line:
        assert line.put_token(policy_token(hub, change)) == 200
        link = attached(line, line.client.receiver(FEEDBACK))
        since = time.monotonic()
        if change == "rights":
            hub.call("PUT", f"/policies/{change}", json={"rights": ["RegistryRead"]})
        else:
            hub.call("DELETE", f"/policies/{change}")
        is_gone_in_time(line, link, since)


def test_a_disabled_device_ends_within_a_second_and_the_others_of_its_gateway_do_not(hub: RunningHub) -> None:
    devices = [hub.create_device(f"gateway-{number}") for number in range(2)]
    with line_to(hub) as line:
        for device in devices:
            assert line.put_token(token_of(hub, device)) == 200
        links = [line.client.sender(f"/devices/{device.device_id}/messages/events") for device in devices]
        for link in links:
            attached(line, link)
        since = time.monotonic()
        hub.call("PATCH", "/devices/gateway-0", json={"status": "disabled"})
        line.until(lambda: links[0].detached)
        assert time.monotonic() - since < PROMISED
        assert links[1].is_open
        assert line.put_token(token_of(hub, devices[0])) == 401
        assert line.put_token(token_of(hub, devices[1])) == 200
        since = time.monotonic()
        hub.call("PATCH", "/devices/gateway-1", json={"status": "disabled"})
        is_gone_in_time(line, links[1], since)


def test_a_hub_that_stops_lets_everybody_go_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = RunningHub(tmp_path_factory.mktemp("stops") / "data").start()
    device = running.create_device("press-7")
    with line_to(running) as line, line_to(running) as backend:
        assert line.put_token(token_of(running, device)) == 200
        assert backend.put_token(policy_token(running, "service")) == 200
        attached(line, line.client.sender("/devices/press-7/messages/events"))
        attached(backend, backend.client.receiver(FEEDBACK))
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        for each in (line, backend):
            each.until_cut()
            each.close()
            assert each.client.closed is None  # the Node SDK would wait 45 s for answers to what it says then
        stopping.join()
        assert not running.alive
