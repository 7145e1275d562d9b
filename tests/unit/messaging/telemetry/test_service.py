import pytest
from tests.fakes.clock import START, FakeClock
from tests.fakes.grants import by_device, by_operator, device_principal
from tests.fakes.streams import stored
from tests.fakes.trouble import until

from ironhub.access.model import Grant, Permission, PermissionDenied
from ironhub.access.service import authorise
from ironhub.core.ids import identity
from ironhub.identity.model import OperatorPrincipal, Proof
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.streams.inproc import MemoryLog
from ironhub.streams.settings import LogSettings

PRESS, ARM = identity("press-7"), identity("press-7", "arm")
READ = by_operator(Permission.TELEMETRY_READ)


@pytest.fixture
async def log() -> MemoryLog:
    return MemoryLog(FakeClock(), LogSettings(partitions=4))


@pytest.fixture
def telemetry(log: MemoryLog) -> TelemetryService:
    return TelemetryService(log)


async def test_an_uplink_says_whose_messages_they_are_and_how_that_was_proven(telemetry: TelemetryService) -> None:
    principal = device_principal(ARM, generation="g7", proof=Proof.POLICY_KEY, policy="device")
    grant = authorise(principal, Permission.TELEMETRY_SEND, ARM)
    uplink = telemetry.uplink(grant, Encoding.AZURE_TOPIC, model_id="dtmi:arm;1")
    assert uplink.origin == Origin(
        ARM, Source.TELEMETRY, Encoding.AZURE_TOPIC, "g7", Proof.POLICY_KEY, "device", "dtmi:arm;1"
    )
    plain = telemetry.uplink(by_device(Permission.TELEMETRY_SEND, PRESS), Encoding.JSON)
    assert (plain.origin.policy, plain.origin.model_id, plain.origin.proof) == ("", "", Proof.OWN_KEY)


async def test_what_is_sent_is_read_again_in_order_with_its_time(log: MemoryLog, telemetry: TelemetryService) -> None:
    uplink = telemetry.uplink(by_device(Permission.TELEMETRY_SEND, PRESS), Encoding.AZURE_TOPIC)
    entries = [Entry(uplink.origin, b"a=1", b"%d" % number) for number in range(3)]
    told: list[object] = []
    uplink.send(entries, told.append)
    partition = log.partition_of(PRESS.device_id)
    assert await telemetry.wait(READ, partition, 0, 10.0)
    batch = await telemetry.read(READ, partition, 0, max_entries=2)
    rest = await telemetry.read(READ, partition, batch.next)
    assert [logged.entry for logged in (*batch.entries, *rest.entries)] == entries
    assert {logged.enqueued_at for logged in batch.entries} == {START}
    assert len((await telemetry.read(READ, partition, 0, max_bytes=1)).entries) == 1
    await until(lambda: told)
    assert told == [None]
    assert (await telemetry.ends(READ, partition)).next == 3
    assert (await telemetry.telemetry_ends(READ, partition)).next == 3
    assert await telemetry.seek(READ, partition, START - 1) == 0
    assert await telemetry.seek(READ, partition, START + 1) == 3
    assert not await telemetry.wait(READ, partition, 3, 0.0)


async def test_a_module_writes_where_its_device_writes(log: MemoryLog, telemetry: TelemetryService) -> None:
    uplink = telemetry.uplink(by_device(Permission.TELEMETRY_SEND, ARM), Encoding.JSON)
    uplink.send([Entry(uplink.origin, b"{}", b"1")], lambda _: None)
    assert (await telemetry.ends(READ, log.partition_of(PRESS.device_id))).next == 1
    await stored(log, 0, [])


async def test_consumer_groups_remember_where_they_read_on(telemetry: TelemetryService) -> None:
    assert telemetry.partitions == 4
    assert await telemetry.position(READ, "group", 1) is None
    await telemetry.set_position(READ, "group", 1, 17)
    assert await telemetry.position(READ, "group", 1) == 17
    assert await telemetry.position(READ, "group", 2) is None


async def test_who_may_read_one_device_may_not_read_the_log_of_all(telemetry: TelemetryService) -> None:
    for grant in (by_operator(Permission.TELEMETRY_READ, PRESS), by_operator(Permission.FEEDBACK_READ)):
        for call in (
            telemetry.ends(grant, 0),
            telemetry.seek(grant, 0, 0.0),
            telemetry.read(grant, 0, 0),
            telemetry.wait(grant, 0, 0, 0.0),
            telemetry.position(grant, "group", 0),
            telemetry.set_position(grant, "group", 0, 1),
        ):
            with pytest.raises(PermissionDenied):
                await call


async def test_only_devices_send(telemetry: TelemetryService) -> None:
    with pytest.raises(PermissionDenied):
        telemetry.uplink(by_device(Permission.TWIN_REPORT, PRESS), Encoding.JSON)
    never_made = Grant(OperatorPrincipal("tester"), Permission.TELEMETRY_SEND, PRESS)
    with pytest.raises(PermissionDenied, match="only a device"):
        telemetry.uplink(never_made, Encoding.JSON)
