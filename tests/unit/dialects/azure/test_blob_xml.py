"""Block lists are read strictly, listings are written so that any parser reads them."""

from time import process_time
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.clock import START

from ironhub.dialects.azure.blob_xml import (
    MAX_BLOCK_LIST,
    check_block_id,
    decode_block_list,
    encode_block_lists,
    encode_listing,
    http_date,
)
from ironhub.messaging.files.blobs import (
    Blob,
    BlobHead,
    Block,
    BlockListInvalid,
    BlockLists,
    BlockSource,
    WantedBlock,
)

DECLARED = b'<?xml version="1.0" encoding="utf-8"?>\n'


@pytest.mark.parametrize(
    "text",
    [
        b"<BlockList><Latest>YQ==</Latest><Committed>Yg==</Committed><Uncommitted>Yw==</Uncommitted></BlockList>",
        DECLARED + b"<BlockList>\n <Latest> YQ== </Latest>\n<Committed>Yg==</Committed>"
        b"<Uncommitted>Yw==</Uncommitted>\r\n</BlockList>\n",
        b"\xef\xbb\xbf" + DECLARED + b"<BlockList><Latest>YQ==</Latest><Committed>Yg==</Committed>"
        b"<Uncommitted>Yw==</Uncommitted></BlockList >",
    ],
)
def test_a_block_list_is_read(text: bytes) -> None:
    assert decode_block_list(text) == [
        WantedBlock(BlockSource.LATEST, "YQ=="),
        WantedBlock(BlockSource.COMMITTED, "Yg=="),
        WantedBlock(BlockSource.UNCOMMITTED, "Yw=="),
    ]


@pytest.mark.parametrize("before", [b"", DECLARED, b"<BlockList>", b"<BlockList", b"<BlockList><Latest>YQ==</Latest>"])
def test_blanks_cost_no_more_than_their_number(before: bytes) -> None:
    began = process_time()
    with pytest.raises(BlockListInvalid):
        decode_block_list(before + b" " * MAX_BLOCK_LIST)
    assert process_time() - began < 2  # shared out in every way between two places, they would cost hours


@pytest.mark.parametrize("text", [b"<BlockList></BlockList>", b"<BlockList />", DECLARED + b"<BlockList/>"])
def test_an_empty_list_is_one(text: bytes) -> None:
    assert decode_block_list(text) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"<BlockList>",
        b"<BlockList><Latest>YQ==</Latest>",
        b"<BlockList x='y'></BlockList>",
        b"<BlockList><Latest>YQ==</Committed></BlockList>",
        b"<BlockList><Latest>a b</Latest></BlockList>",
        b"<BlockList><Latest>a</Latest></BlockList>",
        b"<BlockList><Latest></Latest></BlockList>",
        b"<BlockList><Other>YQ==</Other></BlockList>",
        b"<BlockList><Latest>&#89;Q==</Latest></BlockList>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><BlockList><Latest>YQ==</Latest></BlockList>',
        b"<BlockList><!-- x --><Latest>YQ==</Latest></BlockList>",
        b"<BlockList></BlockList><BlockList></BlockList>",
        b"<BlockList>" + b"<Latest>YQ==</Latest>" * 50_001 + b"</BlockList>",
    ],
)
def test_whatever_else_is_no_block_list(text: bytes) -> None:
    with pytest.raises(BlockListInvalid):
        decode_block_list(text)


@given(st.binary(max_size=200) | st.text(alphabet="<>/BlockListaest=YQ ?!&;", max_size=80).map(str.encode))
def test_any_bytes_are_a_block_list_or_refused(text: bytes) -> None:
    try:
        assert all(isinstance(block, WantedBlock) for block in decode_block_list(text))
    except BlockListInvalid:
        return


@pytest.mark.parametrize("text", ["", "a", "YQ", "!", "YQ==\n", "A" * 92])
def test_what_is_no_block_id(text: str) -> None:
    with pytest.raises(BlockListInvalid):
        check_block_id(text)


def blob(name: str) -> Blob:
    head = BlobHead(content_type="text/<x>", content_md5="bWQ1", headers={"cache-control": "a&b"})
    return Blob(container="box", name=name, size=3, etag="0x1", created_at=START, modified_at=START + 1, head=head)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20), max_size=4))
def test_any_parser_reads_a_listing_as_it_was_meant(names: list[str]) -> None:
    asked = {"prefix": "<&", "marker": "", "maxresults": "2", "delimiter": "/"}
    tree = ElementTree.fromstring(encode_listing("https://h/", "box", [blob(n) for n in names], ["b/"], asked, "z>"))
    assert sorted(each.text or "" for each in tree.findall("Blobs/Blob/Name")) == sorted(names)
    assert [each.text for each in tree.findall("Blobs/BlobPrefix/Name")] == ["b/"]
    assert (tree.findtext("Prefix"), tree.findtext("NextMarker"), tree.find("Marker")) == ("<&", "z>", None)
    assert tree.attrib == {"ServiceEndpoint": "https://h/", "ContainerName": "box"}


def test_a_listing_tells_what_is_known_of_a_blob() -> None:
    tree = ElementTree.fromstring(encode_listing("https://h/", "box", [blob("a")], [], {}, None))
    shown = {each.tag: each.text for each in tree.iter() if each.text}
    assert shown["Content-Length"] == "3"
    assert shown["Content-Type"] == "text/<x>"
    assert shown["Last-Modified"] == http_date(START + 1) == "Thu, 28 May 2026 20:26:41 GMT"
    assert shown["Cache-Control"] == "a&b"


@pytest.mark.parametrize(("committed", "uncommitted"), [(True, False), (False, True), (True, True)])
def test_blocks_are_listed(committed: bool, uncommitted: bool) -> None:
    lists = BlockLists((Block("YQ==", 1),), (Block("Yg==", 2),))
    tree = ElementTree.fromstring(encode_block_lists(lists, committed=committed, uncommitted=uncommitted))
    assert [each.text for each in tree.findall("CommittedBlocks/Block/Name")] == ["YQ=="] * committed
    assert [each.text for each in tree.findall("UncommittedBlocks/Block/Size")] == ["2"] * uncommitted
