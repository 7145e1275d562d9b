"""Links: whatever the vendor's own library signs is read as it was meant, and nothing else is believed."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from azure.storage.blob import BlobSasPermissions, ContainerSasPermissions, generate_blob_sas, generate_container_sas
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fakes.clock import START, FakeClock

from ironhub.dialects.azure.blob_sas import decode_link, encode_link
from ironhub.identity.links import BlobAccount, LinkGate
from ironhub.identity.model import AuthenticationFailed, LinkRight, SymmetricKeys

KEY = bytes(range(64))
ACCOUNT = BlobAccount("ironhub0a1b2c", SymmetricKeys(KEY, b"s" * 64))
LETTERS = {"r": LinkRight.READ, "w": LinkRight.WRITE, "d": LinkRight.DELETE, "l": LinkRight.LIST}
ENDS = datetime.fromtimestamp(START, UTC) + timedelta(hours=1)

names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(
    lambda name: name == name.strip() and "\\" not in name
)
rights = st.sets(st.sampled_from("rwd"), min_size=1).map(lambda letters: "".join(sorted(letters)))


def admitted(query: str, container: str = "uploads", blob: str | None = "a") -> frozenset[LinkRight] | None:
    """The rights that a link gives, None when it is refused."""
    try:
        return LinkGate(ACCOUNT, FakeClock()).admit(decode_link(query, ACCOUNT.name, container, blob)).rights
    except AuthenticationFailed:
        return None


@given(blob=names, letters=rights)
def test_the_vendors_link_to_a_blob_is_read_as_it_was_meant(blob: str, letters: str) -> None:
    permission = BlobSasPermissions(read="r" in letters, write="w" in letters, delete="d" in letters)
    query = generate_blob_sas(ACCOUNT.name, "uploads", blob, account_key=b64encode(KEY).decode(), permission=permission,
                              expiry=ENDS, start=ENDS - timedelta(hours=2), protocol="https")  # fmt: skip
    assert admitted(query, blob=blob) == frozenset(LETTERS[letter] for letter in letters)
    assert admitted(query, blob=f"{blob}x") is None
    assert admitted(query, container="other", blob=blob) is None
    assert admitted(query, blob=None) is None


@given(blob=st.none() | names)
def test_the_vendors_link_to_a_container_opens_all_in_it_and_no_other(blob: str | None) -> None:
    permission = ContainerSasPermissions(read=True, list=True)
    query = generate_container_sas(
        ACCOUNT.name, "uploads", account_key=b64encode(KEY).decode(), permission=permission, expiry=ENDS
    )
    assert admitted(query, blob=blob) == frozenset({LinkRight.READ, LinkRight.LIST})
    assert admitted(query, container="other", blob=blob) is None


@given(blob=st.none() | names, letters=rights, hours=st.integers(1, 1000), plain=st.booleans())
def test_our_links_are_good_as_made(blob: str | None, letters: str, hours: int, plain: bool) -> None:
    ends_at = START + hours * 3600.0
    query = encode_link(
        ACCOUNT, "uploads", blob, letters, expires_at=ends_at, starts_at=START - 1.0, https_only=not plain
    )
    assert admitted(query, blob=blob) == frozenset(LETTERS[letter] for letter in letters)
    claim = decode_link(query, ACCOUNT.name, "uploads", blob)
    assert claim.expires_at == ends_at
    assert admitted(f"{query}&comp=block&blockid=YQ%3D%3D", blob=blob) is not None


@given(data=st.data())
def test_a_link_that_was_changed_anywhere_opens_nothing_more(data: st.DataObject) -> None:
    query = encode_link(ACCOUNT, "uploads", "a", "r", expires_at=START + 60.0)
    place = data.draw(st.integers(0, len(query) - 1))
    character = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    assume(character != query[place])
    found = admitted(query[:place] + character + query[place + 1 :])
    assert found is None or found == {LinkRight.READ}  # another spelling of the same: %3a, %3A


@given(text=st.text(max_size=200))
def test_any_text_is_a_claim_or_a_refusal(text: str) -> None:
    assert admitted(text) is None


@given(
    fields=st.dictionaries(
        st.sampled_from(["sv", "sr", "sp", "st", "se", "spr", "sig", "si", "sip"]), st.text(max_size=40)
    )
)
def test_any_fields_are_a_claim_or_a_refusal(fields: dict[str, str]) -> None:
    good = {
        "sv": "2021-08-06",
        "sr": "b",
        "sp": "r",
        "se": "2030-01-01T00:00:00Z",
        "sig": b64encode(bytes(32)).decode(),
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in {**good, **fields}.items())
    assert admitted(query) is None
