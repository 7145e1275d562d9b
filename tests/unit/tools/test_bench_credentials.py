"""The devices that the load generator is: what they show is what the hub and its peers take."""

import base64
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key
from tools.bench.credentials import (
    SAS_KEY,
    BenchDevice,
    Kind,
    hub_line,
    make_ca,
    make_devices,
    plain_line,
    sas_token,
    self_signed,
    signed_by,
    write_lines,
)

from ironhub.dialects.azure.username import decode_connect
from ironhub.identity.certificates import was_issued_by
from ironhub.identity.model import SymmetricKeys
from ironhub.identity.sas import parse_sas_token, verify_sas_token

CA = make_ca("bench authority")


def test_the_hub_takes_the_token() -> None:
    token = parse_sas_token(sas_token("127.30.0.1/devices/press-7", SAS_KEY, 2_000))
    verified = verify_sas_token(token, keys=SymmetricKeys(SAS_KEY, SAS_KEY), now=1_000.0, leeway=0.0)
    assert (verified.resource, verified.ends_at) == ("127.30.0.1/devices/press-7", 2_000)


def test_a_device_below_the_authority_is_signed_by_it() -> None:
    pair = signed_by(CA, "press-7")
    assert was_issued_by(pair.certificate, CA.certificate)
    assert pair.certificate.subject.rfc4514_string() == "CN=press-7"


def test_a_device_of_its_own_is_signed_by_itself() -> None:
    pair = self_signed("press-7")
    assert was_issued_by(pair.certificate, pair.certificate)
    assert len(pair.thumbprint) == 64


def test_a_servers_certificate_names_its_address() -> None:
    names = signed_by(CA, "127.30.0.3", "127.30.0.3").certificate.extensions
    found = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in found.get_values_for_type(x509.IPAddress)] == ["127.30.0.3"]


@pytest.mark.parametrize("kind", Kind)
def test_devices_of_every_kind_have_a_credential_of_their_own(kind: Kind) -> None:
    first, second = make_devices(kind, ["a", "b"], CA)
    assert (first.device_id, first.kind) == ("a", kind)
    if kind is Kind.SAS:
        assert first.pair is second.pair is None
    else:
        assert first.pair is not None
        assert second.pair is not None
        assert first.pair.thumbprint != second.pair.thumbprint


def test_a_line_says_how_a_device_connects_to_the_hub() -> None:
    [device] = make_devices(Kind.AUTHORITY, ["press-7"], CA)
    client, username, password, topic, certificate, key = hub_line(device, "127.30.0.1", 2_000).split("\t")
    assert device.pair is not None
    assert (client, password, topic) == ("press-7", "", "devices/press-7/messages/events/")
    claim = decode_connect(client, username)
    assert (claim.host, str(claim.identity)) == ("127.30.0.1", "press-7")
    assert base64.b64decode(certificate) == device.pair.certificate.public_bytes(Encoding.DER)
    assert load_der_private_key(base64.b64decode(key), None) is not None


def test_a_line_of_a_device_with_a_key_holds_a_token_and_no_certificate() -> None:
    fields = hub_line(BenchDevice("press-7", Kind.SAS, None), "127.30.0.1", 2_000).split("\t")
    assert fields[2].startswith("SharedAccessSignature sr=127.30.0.1%2Fdevices%2Fpress-7&")
    assert fields[4:] == ["", ""]


def test_a_broker_that_reads_the_certificate_is_shown_nothing_else() -> None:
    [device] = make_devices(Kind.AUTHORITY, ["press-7"], CA)
    assert plain_line(device).split("\t")[1:3] == ["", ""]


def test_a_file_of_devices_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "devices", ["a", "b"])
    assert path.read_text() == "a\nb\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
