"""AMQP peers whose few bytes unfold into much: in memory, in work, in what waits. Each has cost a hub dearly once."""

from collections.abc import Callable
from typing import Final

import pytest
from tests.fakes.amqp_bystander import AmqpBystander
from tests.fakes.amqp_client import message
from tests.fakes.bystander import Bystander, Watch, new_device
from tests.fakes.raw_amqp import RawAmqp, amqp_device, commands_address, shown, telemetry_address
from tests.fakes.raw_device import MARK, policy_token
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import DECODE_ERROR, RESOURCE_LIMIT_EXCEEDED
from ironhub.wire.amqp.frames import encode_frame
from ironhub.wire.amqp.message import BATCH
from ironhub.wire.amqp.performatives import Detach, Flow
from ironhub.wire.amqp.sections import data_section

BYSTANDER = AmqpBystander
MIB: Final = 1 << 20
PEAK: Final = 48 * MIB
"""What one attacker may make the hub hold at most."""
MANY: Final = 0xFFFF_FFFF
EMPTY_LIST: Final = b"\x45"
"""One byte on the wire, more than fifty in memory."""
Attack = Callable[[RunningHub, Registered], None]


def together(peer: RawAmqp, say: Callable[[], None]) -> bytes:
    """Return what `say` would have sent."""
    said: list[bytes] = []
    peer.client.send = said.append
    say()
    peer.client.send = peer.send
    return b"".join(said)


def properties_that_unfold(hub: RunningHub, device: Registered) -> None:
    lists = encode.list_([EMPTY_LIST] * 60_000)
    with amqp_device(hub, device) as peer:
        for _ in range(40):
            peer.client.sender(telemetry_address(device), properties=[("x", lists)])
        assert peer.is_open()


def properties_without_number(hub: RunningHub, device: Registered) -> None:
    pairs = [(f"{number}", EMPTY_LIST) for number in range(5000)]
    with amqp_device(hub, device) as peer:
        peer.client.sender(telemetry_address(device), properties=pairs)
        assert peer.is_closed()
        assert peer.client.reason == DECODE_ERROR


def twin_requests_whose_answers_nobody_takes(hub: RunningHub, device: Registered) -> None:
    """As large as messages may be, as many as there is credit for, on as many links as there may be."""
    request = message(MARK + b"x" * 240_000, correlation_id=encode.string("c"))  # type: ignore[arg-type]  # encoded
    with amqp_device(hub, device) as peer:
        links = [peer.client.sender(f"/devices/{device.device_id}/twin") for _ in range(8)]
        for link in links:
            peer.until(lambda link=link: link.credit > 0)  # type: ignore[misc]
            for _ in range(20):
                peer.client.transfer(link, request, pieces=5)
        assert peer.is_open()
        assert {link.refusal for link in links} == {RESOURCE_LIMIT_EXCEEDED}


def flows_on_links_for_answers_that_take_none(hub: RunningHub, device: Registered) -> None:
    with amqp_device(hub, device) as peer:
        links = [peer.client.receiver("$cbs", credit=None) for _ in range(900)]
        requests = peer.client.sender("$cbs")
        peer.until(lambda: requests.credit > 0)
        peer.client.grant(peer.client.links[1], 0)
        for _ in range(90):
            peer.client.put_token(requests, "nonsense")
        flows = (encode_frame(0, 0, Flow(0, MANY, 0, MANY, link.handle, 0, 0).encode()) for link in links)
        peer.send(b"".join(flows) * 5)
        assert peer.is_open()


def links_that_come_and_go_while_a_takeover_waits(hub: RunningHub, device: Registered) -> None:
    def come_and_go() -> None:
        for _ in range(900):
            link = peer.client.receiver(commands_address(device))
            peer.client.frame(Detach(link.handle, True, None))

    with amqp_device(hub, device) as young, amqp_device(hub, device) as peer:
        said = together(peer, come_and_go)
        peer.client.links.clear()
        peer.client._hear_attach = lambda *_: None  # type: ignore[method-assign]  # it knows none of them any more
        assert young.answered(young.client.sender(telemetry_address(device))) == ""
        peer.send(said * 10)
        assert peer.is_open()


def batches_of_commands(hub: RunningHub, device: Registered) -> None:
    command = message(MARK, to=f"/devices/{device.device_id}/messages/devicebound")
    batch = data_section(command) * 500
    with shown(hub, policy_token(hub, "service")) as peer:
        link = peer.client.sender("/messages/devicebound")
        peer.until(lambda: link.credit > 0)
        for _ in range(30):
            peer.client.transfer(link, batch, message_format=BATCH)
        assert peer.is_open()


@pytest.mark.parametrize(
    "attack",
    [
        properties_that_unfold,
        properties_without_number,
        twin_requests_whose_answers_nobody_takes,
        flows_on_links_for_answers_that_take_none,
        links_that_come_and_go_while_a_takeover_waits,
        batches_of_commands,
    ],
)
def test_what_unfolds_is_bounded(hub: RunningHub, bystander: Bystander, watch: Watch, attack: Attack) -> None:
    device = new_device(hub)
    attack(hub, device)  # the first makes what is made once only
    watch.settled()
    before = watch.memory()
    watch.forget_peak()
    attack(hub, device)
    bystander.check()
    assert watch.peak_memory() - before < PEAK


def test_a_right_that_ends_while_others_flood_ends_within_a_second(hub: RunningHub) -> None:
    device, flooder = new_device(hub), new_device(hub)
    with amqp_device(hub, device) as peer, amqp_device(hub, flooder) as other:
        link = peer.client.sender(telemetry_address(device))
        assert peer.answered(link) == ""
        flow = encode_frame(0, 0, Flow(0, MANY, 0, MANY, -1, -1, -1).encode())
        other.send(flow * 30_000)
        hub.call("PATCH", f"/devices/{device.device_id}", json={"status": "disabled"})
        peer.until(lambda: link.detached, 2)
        assert other.is_open()
