"""Names of blobs and containers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.messaging.files.blobs import RESERVED, BlobNameInvalid, check_blob_name, check_container


@given(st.text(max_size=60))
def test_a_name_is_refused_or_means_one_thing(name: str) -> None:
    try:
        checked = check_blob_name(name)
    except BlobNameInvalid:
        return
    assert checked == name
    assert not {"", ".", ".."} & set(name.split("/"))
    assert "\\" not in name
    assert name.isprintable() or all(ord(each) > 159 or 31 < ord(each) < 127 for each in name)


@pytest.mark.parametrize("name", ["a", "a/b/c.txt", "x" * 1024, "ü/😀", "...", "a b", "%2e%2e", "#?&+"])
def test_names_that_may_be(name: str) -> None:
    assert check_blob_name(name) == name


@pytest.mark.parametrize("name", ["a/" * 254 + "a", "\ud800", "\x85", "a/./b"])
def test_names_that_may_not(name: str) -> None:
    with pytest.raises(BlobNameInvalid):
        check_blob_name(name)


def test_containers() -> None:
    for name in ("abc", "a1-b2", "a" * 63):
        assert check_container(name) == name
    for name in (*RESERVED, "ab", "a" * 64, "a-", "ab-", "a.b", "ABC", "$root", "$web"):
        with pytest.raises(BlobNameInvalid):
            check_container(name)
