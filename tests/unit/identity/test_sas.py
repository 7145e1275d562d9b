import base64
from urllib.parse import quote

import pytest

from ironhub.identity.sas import (
    MAX_TOKEN,
    TokenRejected,
    derive_device_key,
    find_signer,
    key_digest,
    make_sas_token,
    parse_sas_token,
    verify_sas_token,
)

KEY = b"k" * 32
OTHER = b"x" * 32
RESOURCE = "hub.example/devices/press-7"
TOKEN = make_sas_token(RESOURCE, KEY, 1000)
SR, SIG, SE = TOKEN.removeprefix("SharedAccessSignature ").split("&")


def verify(text: str, *, keys: tuple[bytes, ...] = (KEY,), now: float = 0.0) -> str:
    return verify_sas_token(parse_sas_token(text), keys=keys, now=now).resource


def refusal(text: str, *, keys: tuple[bytes, ...] = (KEY,), now: float = 0.0) -> str:
    with pytest.raises(TokenRejected) as caught:
        verify(text, keys=keys, now=now)
    assert str(caught.value) == "the shared access signature was not accepted"
    assert (caught.value.code, caught.value.status) == ("identity.unauthorized", 401)
    return caught.value.detail


def test_a_token_is_good_for_what_it_was_signed_for() -> None:
    verified = verify_sas_token(parse_sas_token(TOKEN), keys=(KEY, OTHER), now=999.0)
    assert verified.resource == RESOURCE
    assert verified.ends_at == 1300.0
    assert verified.key_digest == key_digest(KEY)


def test_the_order_of_the_fields_does_not_matter() -> None:
    for fields in ([SE, SIG, SR], [SIG, SR, SE], [SR, SIG, SE, "skn="], ["other=1", SR, SIG, SE]):
        assert verify("SharedAccessSignature " + "&".join(fields)) == RESOURCE


def test_the_secondary_key_is_as_good_as_the_primary_one() -> None:
    verified = verify_sas_token(parse_sas_token(TOKEN), keys=(OTHER, KEY), now=0.0)
    assert verified.key_digest == key_digest(KEY)


def test_the_first_of_two_equal_keys_is_the_signer() -> None:
    token = parse_sas_token(TOKEN)
    message = f"{token.signed_resource}\n{token.signed_expiry}".encode()
    twin = bytes(bytearray(KEY))
    assert find_signer(message, token.signature, (KEY, twin)) is KEY
    assert find_signer(message, token.signature, ()) is None


def test_another_key_is_refused() -> None:
    assert refusal(TOKEN, keys=(OTHER, OTHER)) == "signed with another key"


def test_the_text_of_a_key_signs_only_where_that_is_asked_for() -> None:
    token = parse_sas_token(make_sas_token(RESOURCE, base64.b64encode(KEY), 2000))
    with pytest.raises(TokenRejected):
        verify_sas_token(token, keys=(OTHER, KEY), now=0.0)
    verified = verify_sas_token(token, keys=(OTHER, KEY), now=0.0, by_text=True)
    assert verified.key_digest == key_digest(KEY)
    with pytest.raises(TokenRejected):
        verify_sas_token(token, keys=(OTHER, OTHER), now=0.0, by_text=True)
    assert verify_sas_token(parse_sas_token(TOKEN), keys=(KEY,), now=0.0, by_text=True).key_digest == key_digest(KEY)


def test_a_token_outlives_its_expiry_by_the_clock_skew_and_no_longer() -> None:
    assert verify(TOKEN, now=1299.9) == RESOURCE
    assert refusal(TOKEN, now=1300.0) == "expired 300 s ago"
    with pytest.raises(TokenRejected):
        verify_sas_token(parse_sas_token(TOKEN), keys=(KEY,), now=1000.0, leeway=0.0)


def test_a_token_that_is_not_encoded_is_verified_as_it_stands() -> None:
    """The Node provisioning client and the Python service client send `sr` raw, others `sig` raw."""
    resource = "0ne00000001/registrations/reg1"
    digest = base64.b64decode("2LCMv6MpWu4ZA0HBJxa72+af2GszBxdHOkLt9qsA1i4=")
    text = f"SharedAccessSignature sr={resource}&sig={base64.b64encode(digest).decode()}&skn=registration&se=1900000000"
    assert verify(text) == resource
    assert parse_sas_token(text).policy == "registration"


def test_a_plus_in_the_signature_stays_a_plus() -> None:
    for expiry in range(1000, 1200):
        token = make_sas_token(RESOURCE, KEY, expiry)
        raw = token.replace("%2B", "+")
        if raw != token:
            assert verify(raw) == RESOURCE
            return
    raise AssertionError("no signature with a plus")


def test_an_encoding_that_was_changed_after_signing_is_refused() -> None:
    assert refusal(TOKEN.replace("%2F", "%2f", 1)) == "signed with another key"
    assert refusal(TOKEN.replace("%2Fdevices", "/devices")) == "signed with another key"


def test_each_part_is_covered_by_the_signature() -> None:
    assert refusal(TOKEN.replace("press-7", "press-8")) == "signed with another key"
    assert refusal(TOKEN.replace("se=1000", "se=9000")) == "signed with another key"
    assert refusal(TOKEN.replace("se=1000", "se=01000")) == "signed with another key"


def test_an_id_with_a_percent_sign_is_decoded_once() -> None:
    token = make_sas_token("hub.example/devices/a%2Fb", KEY, 1000)
    assert "a%252Fb" in token
    assert verify(token) == "hub.example/devices/a%2Fb"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "does not begin"),
        ("SharedAccessSignature", "does not begin"),
        ("SharedAccessSignature ", "empty"),
        ("sharedaccesssignature " + TOKEN[22:], "does not begin"),
        ("Bearer " + TOKEN[22:], "does not begin"),
        (" " + TOKEN, "does not begin"),
        (TOKEN + "\n", "a character that no token has"),
        (TOKEN + "é", "a character that no token has"),
        (TOKEN.replace("&", "& "), "a character that no token has"),
        (TOKEN + "a" * MAX_TOKEN, "longer than any token"),
        (TOKEN + "&a=1" * 9, "too many fields"),
        (TOKEN + "&", "has no value, or is there twice"),
        (TOKEN + "&" + SR, "has no value, or is there twice"),
        (TOKEN + "&" + SE, "has no value, or is there twice"),
        (TOKEN + "&skn=a&skn=a", "has no value, or is there twice"),
        (f"SharedAccessSignature {SIG}&{SE}", "sr is missing"),
        (f"SharedAccessSignature sr=&{SIG}&{SE}", "sr is missing"),
        (f"SharedAccessSignature {SR}&{SE}", "sig is missing"),
        (f"SharedAccessSignature {SR}&{SIG}", "se is missing"),
        (f"SharedAccessSignature {SR}&{SIG}&se=", "se is missing"),
        (f"SharedAccessSignature {SR}&{SIG}&se=-1", "se is not a number"),
        (f"SharedAccessSignature {SR}&{SIG}&se=1e9", "se is not a number"),
        (f"SharedAccessSignature {SR}&{SIG}&se=1.5", "se is not a number"),
        (f"SharedAccessSignature {SR}&{SIG}&se={'9' * 13}", "se is not a number"),
        (f"SharedAccessSignature sr=%&{SIG}&{SE}", "sr is not percent-encoded"),
        (f"SharedAccessSignature sr=%zz&{SIG}&{SE}", "sr is not percent-encoded"),
        (f"SharedAccessSignature sr=%ff&{SIG}&{SE}", "sr is not UTF-8"),
        (f"SharedAccessSignature {SR}&sig=%4&{SE}", "sig is not percent-encoded"),
        (f"SharedAccessSignature {SR}&sig=!!!!&{SE}", "sig is not base64"),
        (f"SharedAccessSignature {SR}&{SIG[:-4]}&{SE}", "sig is not base64"),
        (f"SharedAccessSignature {SR}&sig={quote(base64.b64encode(b'x' * 31))}&{SE}", "sig is not 32 bytes"),
        (f"SharedAccessSignature {SR}&sig={quote(base64.b64encode(b'x' * 33))}&{SE}", "sig is not 32 bytes"),
        (f"SharedAccessSignature {SR}&sig={quote(quote(SIG[4:]))}&{SE}", "sig is not base64"),
        (TOKEN + "&skn=%", "skn is not percent-encoded"),
        (TOKEN + "&skn=" + "a" * 257, "skn is too long"),
    ],
)
def test_a_malformed_token_is_refused(text: str, detail: str) -> None:
    assert detail in refusal(text)


def test_the_signature_is_not_shown_in_logs() -> None:
    assert "signature" not in repr(parse_sas_token(TOKEN))


def test_a_token_can_be_made_with_a_policy() -> None:
    token = parse_sas_token(make_sas_token("hub.example", KEY, 1000, "own er"))
    assert token.policy == "own er"
    assert token.expires_at == 1000


def test_a_device_key_follows_from_the_group_key_and_the_registration_id() -> None:
    assert base64.b64encode(derive_device_key(KEY, "reg1")) == b"fdNUs6KMIzSW8GIbvkg2eBWDte/GPUFK7kWOhvGoXrY="
