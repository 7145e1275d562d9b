from ironhub.core.ids import identity
from ironhub.identity.model import (
    AuthenticationFailed,
    CredentialKind,
    DevicePrincipal,
    Proof,
    Right,
    ServicePrincipal,
)


def test_the_stored_words_for_kinds_of_credentials_never_change() -> None:
    assert [kind.value for kind in CredentialKind] == ["sas", "self_signed", "certificate_authority", "none"]


def test_rights_are_called_what_the_vendor_calls_them() -> None:
    assert {right.value for right in Right} == {"RegistryRead", "RegistryWrite", "ServiceConnect", "DeviceConnect"}


def test_what_a_principal_remembers_of_its_key_is_not_shown() -> None:
    device = DevicePrincipal(identity("d1"), "g", Proof.OWN_KEY, 1.0, key_digest="abc")
    service = ServicePrincipal("owner", frozenset(), "", 1.0, key_digest="abc")
    assert "abc" not in repr(device) + repr(service)


def test_a_failed_authentication_says_little_to_the_caller_and_more_to_the_log() -> None:
    error = AuthenticationFailed("no", detail="why")
    assert (str(error), error.detail, error.status) == ("no", "why", 401)
