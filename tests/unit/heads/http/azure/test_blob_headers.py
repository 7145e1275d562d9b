"""Headers of blob calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import START

from ironhub.core.errors import HubError
from ironhub.heads.http.azure.blob_headers import (
    ByteRange,
    Conditions,
    blob_headers,
    check_reader,
    decode_conditions,
    decode_md5,
    decode_properties,
    decode_range,
    stored_headers,
)
from ironhub.heads.http.messages import Head
from ironhub.messaging.files.blobs import Blob, BlobChanged, BlobHead, NotSupported

BLOB = Blob(
    container="box", name="a", size=3, etag="0x1", created_at=START, modified_at=START,
    head=BlobHead(content_md5="bWQ1", headers={"cache-control": "no-store"}),
)  # fmt: skip


def head(**headers: str) -> Head:
    return Head("PUT", "/box/a", "", {name.replace("_", "-"): text for name, text in headers.items()})


def test_properties() -> None:
    found = decode_properties(head(x_ms_blob_content_type="a/b", x_ms_blob_cache_control="no-store", x_ms_meta_k="v"))
    assert found == BlobHead(content_type="a/b", headers={"cache-control": "no-store", "x-ms-meta-k": "v"})
    assert decode_properties(head(content_type="c/d")).content_type == "c/d"
    assert decode_properties(head()).content_type == "application/octet-stream"


def test_conditions() -> None:
    assert decode_conditions(head()) == Conditions(False, None)
    assert decode_conditions(head(if_none_match="*", if_match='"e"')) == Conditions(True, "e")
    with pytest.raises(NotSupported):
        decode_conditions(head(if_modified_since="x"))


def test_readers() -> None:
    assert check_reader(head(if_match="*"), BLOB)
    assert not check_reader(head(if_none_match='"0x1"'), BLOB)
    with pytest.raises(BlobChanged):
        check_reader(head(if_match='"0x2"'), BLOB)
    with pytest.raises(NotSupported):
        check_reader(head(x_ms_lease_id="x"), BLOB)


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d{0,20}-\d{0,20}", fullmatch=True))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    try:
        found = decode_range(head(range=text))
    except HubError:
        return
    assert isinstance(found, ByteRange)
    assert found.start >= 0
    assert found.end is None or found.end > found.start


def test_ranges_and_checksums() -> None:
    assert decode_range(head()) is None
    assert decode_range(head(range="bytes=1-2")) == ByteRange(1, 3)
    assert decode_md5("") is None
    assert decode_md5("AAAAAAAAAAAAAAAAAAAAAA==") == bytes(16)


def test_what_is_told_of_a_blob() -> None:
    whole, part = dict(blob_headers(BLOB, part=False)), dict(blob_headers(BLOB, part=True))
    assert (whole["Content-MD5"], part["x-ms-blob-content-md5"], whole["cache-control"]) == ("bWQ1", "bWQ1", "no-store")
    assert "Content-MD5" not in part
    assert dict(stored_headers(BLOB))["ETag"] == '"0x1"'
