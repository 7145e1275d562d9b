"""Whatever comes as a token or an audience is refused or believed for a reason, and nothing else happens."""

import base64
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from ironhub.core.ids import Identity, identity
from ironhub.identity.audience import covers, identity_path, normal_host, parse_audience
from ironhub.identity.sas import TokenRejected, make_sas_token, parse_sas_token, verify_sas_token

few = settings(max_examples=150)
keys = st.binary(min_size=16, max_size=64)
ids = st.from_regex(r"[A-Za-z0-9\-.+%_#*?!(),:=@$']{1,24}", fullmatch=True)
identities = st.builds(identity, ids, st.none() | ids)
expiries = st.integers(0, 10**11)


def believed(text: str, key: bytes, now: float = 0.0) -> str | None:
    try:
        return verify_sas_token(parse_sas_token(text), keys=(key,), now=now).resource
    except TokenRejected:
        return None


@few
@given(text=st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    assert believed(text, b"k" * 32) is None
    assert believed(f"SharedAccessSignature {text}", b"k" * 32) is None


@few
@given(
    fields=st.lists(
        st.tuples(st.sampled_from(["sr", "sig", "se", "skn", "x", ""]), st.text("a0%2F+/=&", max_size=50)), max_size=9
    )
)
def test_any_fields_are_refused(fields: list[tuple[str, str]]) -> None:
    assert believed("SharedAccessSignature " + "&".join(f"{name}={value}" for name, value in fields), b"k" * 32) is None


@few
@given(who=identities, key=keys, expiry=expiries, policy=st.none() | ids)
def test_what_we_sign_we_believe(who: Identity, key: bytes, expiry: int, policy: str | None) -> None:
    resource = f"hub.example{identity_path(who)}"
    token = make_sas_token(resource, key, expiry, policy)
    assert believed(token, key, now=expiry) == resource
    assert believed(token, key, now=expiry + 300) is None
    assert parse_sas_token(token).policy == policy
    audience = parse_audience(resource)
    assert audience is not None
    assert audience.path == identity_path(who)


@few
@given(key=keys, other=keys, expiry=expiries)
def test_another_key_believes_nothing(key: bytes, other: bytes, expiry: int) -> None:
    same = key.ljust(64, b"\x00") == other.ljust(64, b"\x00")  # HMAC pads keys with zeros up to 64 bytes
    assert (believed(make_sas_token("hub.example", key, expiry), other) is not None) == same


@few
@given(data=st.data(), who=identities, expiry=expiries)
def test_no_changed_character_is_believed(data: st.DataObject, who: Identity, expiry: int) -> None:
    key = b"k" * 32
    resource = f"hub.example{identity_path(who)}"
    token = make_sas_token(resource, key, expiry)
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.characters()) + token[place + 1 :]
    if believed(changed, key) is not None:  # only another way to write the same signature is still good
        assert changed == token or parse_sas_token(changed) == parse_sas_token(token)


@few
@given(who=identities, key=keys, expiry=expiries, order=st.permutations(range(3)), raw=st.booleans())
def test_order_and_encoding_of_the_fields_do_not_matter(
    who: Identity, key: bytes, expiry: int, order: list[int], *, raw: bool
) -> None:
    token = parse_sas_token(make_sas_token(f"hub.example{identity_path(who)}", key, expiry))
    signature = base64.b64encode(token.signature).decode()
    sig = signature if raw else quote(signature)
    fields = [f"sr={token.signed_resource}", f"sig={sig}", f"se={expiry}"]
    text = "SharedAccessSignature " + "&".join(fields[place] for place in order)
    assert believed(text, key) == token.resource


@few
@given(one=identities, other=identities)
def test_only_the_same_identity_has_the_same_path(one: Identity, other: Identity) -> None:
    assert (identity_path(one) == identity_path(other)) == (one == other)


@few
@given(one=identities, other=identities)
def test_an_identity_covers_itself_and_its_own_modules(one: Identity, other: Identity) -> None:
    own = one == other or (one.device_id == other.device_id and one.module_id is None)
    assert covers(identity_path(one), identity_path(other)) == own


@few
@given(text=st.text(max_size=80) | st.from_regex(r"[a-z.\[\]:/0-9]{0,40}"))
def test_the_normal_form_of_a_host_is_its_own_normal_form(text: str) -> None:
    host = normal_host(text)
    assert host is None or normal_host(host) == host or ":" in host
    audience = parse_audience(text)
    if audience is not None:
        assert audience.path == "" or audience.path.startswith("/")
        assert not audience.path.endswith("/")
