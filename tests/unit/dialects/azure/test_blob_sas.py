"""Links that two readers could understand differently are none."""

import pytest
from tests.fakes.clock import START

from ironhub.dialects.azure.blob_sas import decode_link, encode_link, storage_instant, unquoted
from ironhub.identity.links import BlobAccount
from ironhub.identity.model import AuthenticationFailed, LinkRight, SymmetricKeys

ACCOUNT = BlobAccount("ironhub", SymmetricKeys(b"p" * 64, b"s" * 64))
LINK = encode_link(ACCOUNT, "uploads", "press-7/a", "rw", expires_at=START + 60.0)


def detail(query: str, blob: str | None = "press-7/a") -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        decode_link(query, "ironhub", "uploads", blob)
    return caught.value.detail


def test_a_link_says_what_it_was_made_for() -> None:
    claim = decode_link(LINK, "ironhub", "uploads", "press-7/a")
    assert (claim.container, claim.blob, claim.starts_at) == ("uploads", "press-7/a", None)
    assert claim.rights == {LinkRight.READ, LinkRight.WRITE}
    assert claim.message.decode().split("\n")[:4] == [
        "rw", "", storage_instant(START + 60.0), "/blob/ironhub/uploads/press-7/a",
    ]  # fmt: skip
    assert LINK.startswith("sv=2021-08-06&sr=b&sp=rw&se=")


def test_older_versions_are_signed_without_the_scope() -> None:
    old = decode_link(LINK.replace("2021-08-06", "2019-12-12"), "ironhub", "uploads", "press-7/a")
    new = decode_link(LINK, "ironhub", "uploads", "press-7/a")
    assert (old.message.count(b"\n"), new.message.count(b"\n")) == (14, 15)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("sv=2021-08-06", "sv=2015-04-05"), "version"),
        (("sv=2021-08-06", "sv="), "version"),
        (("sr=b", "sr=d"), "neither"),
        (("sr=b", "sr=b&sip=10.0.0.1"), "not kept"),
        (("sr=b", "sr=b&si=policy"), "not kept"),
        (("spr=https", "spr=http"), "HTTPS"),
        (("sp=rw", "sp="), "permissions"),
        (("sp=rw", "sp=rz"), "permissions"),
        (("sp=rw", "sp=r&sp=w"), "twice"),
        (("sp=rw", "sp=r&SP=w"), "two ways"),
        (("sp=rw", "sp=r&%73p=w"), "two ways"),
        (("sp=rw", "sp=%zz"), "percent"),
        (("sp=rw", "sp=%ff"), "UTF-8"),
        (("se=", "se=x"), "instant"),
        (("sig=", "sig=!"), "base64"),
        (("sig=", "sig=QUJD&x="), "length"),
        (("sr=b", "sr=b&x=" + "y" * 9000), "longer"),
    ],
)
def test_what_is_no_plain_link_is_refused(change: tuple[str, str], why: str) -> None:
    assert why in detail(LINK.replace(*change))


def test_a_link_to_a_blob_is_none_to_its_container_and_a_missing_one_none_at_all() -> None:
    assert "container" in detail(LINK, None)
    assert "no link" in detail("")


def test_a_day_is_an_instant_too() -> None:
    claim = decode_link(LINK.replace("&spr", "&st=2026-01-01&spr"), "ironhub", "uploads", "press-7/a")
    assert claim.starts_at == 1_767_225_600.0


def test_names_of_a_query_are_read_as_leniently_as_anybody_may() -> None:
    assert unquoted("%73ig+") == "sig"
