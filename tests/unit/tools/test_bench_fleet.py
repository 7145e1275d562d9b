"""Which devices are registered, and which of them connect."""

from tools.bench.credentials import Kind, make_ca, make_devices
from tools.bench.fleet import KINDS, credentials_of, ids_among, name_of

from ironhub.identity.model import CredentialKind
from ironhub.registry.model import check_credentials

CA = make_ca("bench authority")


def test_ids_of_the_kinds_are_as_many_as_asked_for_and_shared_by_none() -> None:
    ids = ids_among(1_000, 33)
    assert {kind: len(names) for kind, names in ids.items()} == dict.fromkeys(KINDS, 33)
    assert len({name for names in ids.values() for name in names}) == 99


def test_ids_are_spread_over_all_that_are_registered() -> None:
    every = sorted(name for names in ids_among(1_000_000, 100).values() for name in names)
    assert every[0] == name_of(0)
    assert every[-1] > name_of(990_000)
    assert every[-1] < name_of(1_000_000)


def test_a_fleet_may_be_exactly_as_large_as_what_connects() -> None:
    every = {name for names in ids_among(99, 33).values() for name in names}
    assert every == {name_of(number) for number in range(99)}


def test_what_is_registered_of_a_device_is_what_it_will_show() -> None:
    [pinned] = make_devices(Kind.THUMBPRINT, ["a"], CA)
    [issued] = make_devices(Kind.AUTHORITY, ["b"], CA)
    [keyed] = make_devices(Kind.SAS, ["c"], CA)
    credentials = [credentials_of(device) for device in (pinned, issued, keyed, None)]
    assert [found.kind for found in credentials] == [
        CredentialKind.SELF_SIGNED,
        CredentialKind.CERTIFICATE_AUTHORITY,
        CredentialKind.SAS,
        CredentialKind.SAS,
    ]
    assert credentials[0].thumbprints is not None
    assert pinned.pair is not None
    assert credentials[0].thumbprints.primary == pinned.pair.thumbprint
    for found in credentials:
        check_credentials(found)
