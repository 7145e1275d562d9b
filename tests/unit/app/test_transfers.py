from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.grants import by_operator
from tests.fakes.pki import make_authority

from ironhub.access.model import Permission
from ironhub.app.datadir import DataDirectory
from ironhub.app.files import open_files
from ironhub.app.settings import Settings, SettingsInvalid
from ironhub.app.transfers import trusted_authorities, wire_transfers
from ironhub.core.sealing import Sealer
from ironhub.dialects.azure.blob_sas import encode_link
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate
from ironhub.provisioning.bulk.service import BulkService
from ironhub.provisioning.transfer.model import ContainerInvalid, TransferKind, TransferRequest
from ironhub.storage.memory.stores import memory_stores
from ironhub.streams.inproc import InprocBus

WRITE, READ = by_operator(Permission.TRANSFER_WRITE), by_operator(Permission.REGISTRY_READ)


def test_the_authority_of_the_hosts_is_read(tmp_path: Path) -> None:
    assert trusted_authorities(Settings()) is None
    path = tmp_path / "ca.pem"
    path.write_bytes(make_authority("Containers").pem)
    context = trusted_authorities(Settings(transfer_ca=path))
    assert context is not None
    assert [each["subject"] for each in context.get_ca_certs()]


def test_an_authority_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("nothing")
    for path in (tmp_path / "none.pem", broken):
        with pytest.raises(SettingsInvalid, match="transfer_ca"):
            trusted_authorities(Settings(transfer_ca=path))


async def test_jobs_reach_the_hubs_own_containers_and_the_hosts_of_the_settings(tmp_path: Path) -> None:
    clock, entropy, bus = FakeClock(), FakeEntropy(), InprocBus()
    stores = memory_stores(entropy)
    settings = Settings(data=tmp_path / "data", transfer_hosts=("far.test",))
    directory = DataDirectory(settings.data)
    directory.make()
    bulk = BulkService(stores.bulk, bus, clock, entropy)
    names, sealer = HubNames(["hub.example"]), Sealer({1: b"k" * 32}, entropy)
    gate = Gate(stores.devices, stores.policies, stores.authority_source, names, clock)
    async with open_files(settings, directory, stores, sealer, clock, entropy) as files:
        parts = wire_transfers(settings, directory, stores, bulk, files, names, gate, clock, entropy)
        link = encode_link(files.account, "box", None, "rw", expires_at=clock.now() + 60)
        for good in (f"https://hub.example/box?{link}", "https://far.test/box?sig=s"):
            request = TransferRequest(kind=TransferKind.EXPORT, output_uri=good)
            job = await parts.service.create(WRITE, request, reading=READ)
            await parts.service.cancel(WRITE, job.job_id)
        for bad in ("https://hub.example/box?sig=s", "https://other.test/box?sig=s"):
            with pytest.raises(ContainerInvalid):
                await parts.service.create(
                    WRITE, TransferRequest(kind=TransferKind.EXPORT, output_uri=bad), reading=READ
                )
