import json

import pytest

from ironhub.core.errors import InvalidArgument
from ironhub.dialects.azure.transfer_json import decode_transfer, encode_transfer
from ironhub.identity.model import Remembered
from ironhub.provisioning.transfer.model import Transfer, TransferKind, TransferStatus

IN, OUT = "https://acct.blob.core.windows.net/in?sig=secret", "https://acct.blob.core.windows.net/out?sig=secret"


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_an_export_and_an_import_are_read() -> None:
    export = decode_transfer(body(type="export", outputBlobContainerUri=OUT, excludeKeysInExport=True))
    assert (export.kind, export.output_uri, export.output_blob) == (TransferKind.EXPORT, OUT, "devices.txt")
    assert export.with_keys is False
    taken = decode_transfer(
        body(type="Import", inputBlobContainerUri=IN, outputBlobContainerUri=OUT, inputBlobName="x.txt")
    )
    assert (taken.kind, taken.input_uri, taken.input_blob) == (TransferKind.IMPORT, IN, "x.txt")
    assert "secret" not in repr(taken)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "backup", "outputBlobContainerUri": OUT},
        {"type": "export"},
        {"type": "import", "outputBlobContainerUri": OUT},
        {"type": "import", "inputBlobContainerUri": IN},
        {"type": "export", "outputBlobContainerUri": 5},
        {"type": "export", "outputBlobContainerUri": OUT, "includeConfigurations": True},
    ],
)
def test_what_is_no_job_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        decode_transfer(body(**fields))


def test_a_job_is_shown_without_signatures() -> None:
    request = decode_transfer(body(type="import", inputBlobContainerUri=IN, outputBlobContainerUri=OUT))
    job = Transfer(
        job_id="j1",
        request=request,
        creator=Remembered("owner", True),
        created_at=0.0,
        started_at=1.0,
        status=TransferStatus.RUNNING,
    )
    shown = encode_transfer(job)
    assert "secret" not in json.dumps(shown)
    assert (shown["jobId"], shown["status"], shown["type"]) == ("j1", "running", "import")
    assert shown["startTimeUtc"].startswith("1970-01-01T00:00:01")
    assert shown["endTimeUtc"] is None
    exported = encode_transfer(
        Transfer(
            job_id="j2",
            request=decode_transfer(body(type="export", outputBlobContainerUri=OUT)),
            creator=Remembered("owner", True),
            created_at=0.0,
        )
    )
    assert exported["excludeKeysInExport"] is False
