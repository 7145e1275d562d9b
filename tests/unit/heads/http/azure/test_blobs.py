"""The blob store, request by request, as the vendor's storage clients make them."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import md5
from xml.etree import ElementTree

import pytest
from tests.fakes.channel import FakeChannel
from tests.fakes.files import ACCOUNT, SmallFiles, gathered
from tests.fakes.identities import KnownToTheHub, make_gate

from ironhub.dialects.azure.blob_sas import encode_link
from ironhub.heads.http.azure.application import AzureHttp
from ironhub.heads.http.azure.blobs import BlobCalls
from ironhub.heads.http.azure.links import BlobLinks
from ironhub.heads.http.incoming import IncomingBody
from ironhub.heads.http.messages import Head, Request, Response

MAX = 1000


class Store:
    """The API of one hub's blob store, and a client of it."""

    def __init__(self) -> None:
        self.files = SmallFiles()
        links = BlobLinks(self.files.links)
        self.http = AzureHttp(
            [BlobCalls(self.files.keeper, links, max_body=MAX)],
            gate=make_gate(KnownToTheHub(), self.files.clock),
            clock=self.files.clock,
            entropy=self.files.entropy,
            links=links,
        )
        self.channel = FakeChannel()

    def link(self, rights: str = "rwdl", *, blob: str | None = None, container: str = "uploads") -> str:
        ends_at = self.files.clock.now() + 60.0
        return encode_link(ACCOUNT, container, blob, rights, expires_at=ends_at)

    async def ask(
        self,
        method: str,
        path: str,
        body: Sequence[bytes] = (),
        *,
        query: str = "",
        link: str | None = None,
        more: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Response:
        """Make a request; header names as keyword with "_" for "-"."""
        sent = {name.replace("_", "-"): text for name, text in (headers | dict(more or {})).items()}
        shown = self.link() if link is None else link
        head = Head(method, path, "&".join(filter(None, (shown, query))), sent)
        if (refusal := await self.http.admit(head, self.channel)) is not None:
            return refusal
        incoming = IncomingBody(sum(map(len, body)), lambda: None)
        for piece in body:
            incoming.put(piece)
        incoming.end()
        streamed = self.http.stream_limit(head) is not None
        return await self.http.answer(Request(head, b"", self.channel, incoming if streamed else None))

    async def put(
        self, name: str, data: bytes = b"content", *, more: Mapping[str, str] | None = None, **headers: str
    ) -> Response:
        headers.setdefault("x_ms_blob_type", "BlockBlob")
        return await self.ask("PUT", f"/uploads/{name}", [data], more=headers | dict(more or {}))


def header(response: Response, name: str) -> str | None:
    return next((value for key, value in response.headers if key.lower() == name.lower()), None)


def refused(response: Response) -> tuple[int, str | None]:
    """Status and code of an error, which are told in a header and in XML alike."""
    tree = ElementTree.fromstring(response.body)
    assert response.content_type == "application/xml"
    assert tree.findtext("Code") == header(response, "x-ms-error-code")
    assert header(response, "x-ms-request-id")
    return response.status, tree.findtext("Code")


async def content(response: Response) -> bytes:
    assert response.stream is not None
    data = await gathered(response.stream)
    assert len(data) == response.length
    return data


@pytest.fixture
def store() -> Store:
    return Store()


async def test_a_blob_is_put_and_got(store: Store) -> None:
    made = await store.put(
        "a/b%20c", x_ms_version="2020-10-02", x_ms_client_request_id="id-1", content_type="text/plain"
    )
    assert (made.status, header(made, "x-ms-version"), header(made, "x-ms-client-request-id")) == (
        201,
        "2020-10-02",
        "id-1",
    )
    assert header(made, "Content-MD5") == b64encode(md5(b"content").digest()).decode()
    got = await store.ask("GET", "/uploads/a/b%20c")
    assert (got.status, got.content_type, await content(got)) == (200, "text/plain", b"content")
    assert header(got, "ETag") == header(made, "ETag")
    assert header(got, "x-ms-blob-type") == "BlockBlob"
    head = await store.ask("HEAD", "/uploads/a/b%20c")
    assert (head.status, head.length, head.stream, head.body) == (200, 7, None, b"")


@pytest.mark.parametrize(
    ("asked", "part", "told"),
    [
        ({"range": "bytes=2-4"}, b"nte", "bytes 2-4/7"),
        ({"x-ms-range": "bytes=0-99"}, b"content", "bytes 0-6/7"),
        ({"x-ms-range": "bytes=6-", "range": "bytes=0-0"}, b"t", "bytes 6-6/7"),
    ],
)
async def test_a_part_of_a_blob(store: Store, asked: dict[str, str], part: bytes, told: str) -> None:
    await store.put("a")
    got = await store.ask("GET", "/uploads/a", more=asked)
    assert (got.status, header(got, "Content-Range"), await content(got)) == (206, told, part)
    assert header(got, "Content-MD5") is None
    assert header(got, "x-ms-blob-content-md5") is not None


async def test_ranges_that_are_none(store: Store) -> None:
    await store.put("a")
    await store.put("empty", b"")
    for path, text in (("a", "bytes=7-8"), ("a", "bytes=3-2"), ("empty", "bytes=0-")):
        assert refused(await store.ask("GET", f"/uploads/{path}", range=text)) == (416, "InvalidRange")
    for text in ("bytes=-3", "bytes=0-1,3-4", "lines=0-1"):
        assert refused(await store.ask("GET", "/uploads/a", range=text)) == (400, "UnsupportedHeader")


async def test_conditions(store: Store) -> None:
    etag = header(await store.put("a"), "ETag") or ""
    assert refused(await store.put("a", if_none_match="*")) == (409, "BlobAlreadyExists")
    assert refused(await store.put("a", if_match='"x"')) == (412, "ConditionNotMet")
    assert refused(await store.ask("GET", "/uploads/a", if_match='"x"')) == (412, "ConditionNotMet")
    assert (await store.ask("GET", "/uploads/a", if_none_match=etag)).status == 304
    assert (await store.put("a", if_match=etag)).status == 201
    for name in ("if-unmodified-since", "x-ms-lease-id", "x-ms-if-tags"):
        assert refused(await store.put("a", more={name: "x"})) == (400, "UnsupportedHeader")
    assert refused(await store.put("a", if_none_match='"x"')) == (400, "UnsupportedHeader")


async def test_blocks_become_a_blob(store: Store) -> None:
    for name, data in (("one", b"1"), ("two", b"22")):
        block = b64encode(name.encode()).decode()
        assert (await store.ask("PUT", "/uploads/a", [data], query=f"comp=block&blockid={block}")).status == 201
    xml = b"<BlockList><Latest>dHdv</Latest><Uncommitted>b25l</Uncommitted></BlockList>"
    lists = await store.ask("GET", "/uploads/a", query="comp=blocklist&blocklisttype=uncommitted")
    assert lists.body.count(b"<Block>") == 2
    made = await store.ask(
        "PUT", "/uploads/a", [xml[:20], xml[20:]], query="comp=blocklist", x_ms_blob_content_type="x/y", x_ms_meta_a="1"
    )
    assert made.status == 201
    got = await store.ask("GET", "/uploads/a")
    assert (got.content_type, header(got, "x-ms-meta-a"), await content(got)) == ("x/y", "1", b"221")
    lists = await store.ask("GET", "/uploads/a", query="comp=blocklist")
    assert b"<CommittedBlocks><Block><Name>dHdv</Name><Size>2</Size>" in lists.body


async def test_block_lists_that_are_none(store: Store) -> None:
    for body in ([b"{}"], [b"<BlockList><Latest>dHdv</Latest></BlockList>"]):
        asked = await store.ask("PUT", "/uploads/a", body, query="comp=blocklist")
        assert refused(asked) == (400, "InvalidBlockList")
    long = await store.ask("PUT", "/uploads/a", [b" " * (1 << 20)] * 3, query="comp=blocklist")
    assert refused(long) == (413, "RequestBodyTooLarge")
    for block in ("", "%21", "YQ"):
        asked = await store.ask("PUT", "/uploads/a", [b"x"], query=f"comp=block&blockid={block}")
        assert refused(asked) == (400, "InvalidBlockList")


async def test_a_container_is_listed(store: Store) -> None:
    for name in ("a", "b/1", "b/2", "c"):
        await store.put(name)
    listing = "restype=container&comp=list"
    tree = ElementTree.fromstring((await store.ask("GET", "/uploads", query=f"{listing}&maxresults=3")).body)
    assert [each.text for each in tree.findall("Blobs/Blob/Name")] == ["a", "b/1", "b/2"]
    marker = tree.findtext("NextMarker")
    tree = ElementTree.fromstring((await store.ask("GET", "/uploads", query=f"{listing}&marker={marker}")).body)
    assert ([each.text for each in tree.findall("Blobs/Blob/Name")], tree.findtext("NextMarker")) == (["c"], "")
    found, marker = [], ""
    for _ in range(9):
        query = f"{listing}&delimiter=/&maxresults=2&marker={marker}"
        tree = ElementTree.fromstring((await store.ask("GET", "/uploads", query=query)).body)
        found += [each.text for each in (*tree.findall("Blobs/Blob/Name"), *tree.findall("Blobs/BlobPrefix/Name"))]
        marker = (tree.findtext("NextMarker") or "").encode().hex("%")
        marker = f"%{marker}" if marker else ""
        if not marker:
            break
    assert found == ["a", "b/", "c"]
    assert (await store.ask("HEAD", "/uploads", query="restype=container")).status == 200
    for query in ("", "restype=container&comp=acl", "comp=list"):
        assert refused(await store.ask("GET", "/uploads", query=query)) == (400, "UnsupportedHeader")


async def test_a_blob_is_deleted(store: Store) -> None:
    await store.put("a")
    assert refused(await store.ask("DELETE", "/uploads/a", if_match='"x"')) == (412, "ConditionNotMet")
    assert (await store.ask("DELETE", "/uploads/a")).status == 202
    assert refused(await store.ask("GET", "/uploads/a")) == (404, "BlobNotFound")
    assert refused(await store.ask("DELETE", "/uploads/a")) == (404, "BlobNotFound")


async def test_an_emulators_address_means_the_same(store: Store) -> None:
    await store.put("a")
    assert (await store.ask("GET", f"/{ACCOUNT.name}/uploads/a")).status == 200
    listed = await store.ask("GET", f"/{ACCOUNT.name}/uploads", query="restype=container&comp=list")
    assert b"<Name>a</Name>" in listed.body


@pytest.mark.parametrize(
    ("method", "path", "rights"),
    [
        ("GET", "/uploads/a", "wdl"),
        ("HEAD", "/uploads/a", "wdl"),
        ("PUT", "/uploads/a", "rdl"),
        ("DELETE", "/uploads/a", "rwl"),
        ("GET", "/uploads?restype=container&comp=list", "rwd"),
        ("GET", "/uploads?restype=container", "rwd"),
        ("GET", "/uploads/a?comp=blocklist", "wdl"),
        ("PUT", "/uploads/a?comp=block&blockid=YQ%3D%3D", "rdl"),
        ("PUT", "/uploads/a?comp=blocklist", "rdl"),
    ],
)
async def test_a_link_allows_what_it_says_and_no_more(store: Store, method: str, path: str, rights: str) -> None:
    await store.put("a")
    path, _, query = path.partition("?")
    answer = await store.ask(method, path, query=query, link=store.link(rights), x_ms_blob_type="BlockBlob")
    assert refused(answer) == (403, "AuthorizationPermissionMismatch")


async def test_a_link_to_one_blob_opens_no_other(store: Store) -> None:
    await store.put("a")
    link = store.link("rw", blob="a")
    assert (await store.ask("GET", "/uploads/a", link=link)).status == 200
    for path in ("/uploads/b", "/uploads/A", "/uploads/a%00", "/other/a", "/uploads/a/b"):
        answer = await store.ask("GET", path, link=link)
        assert refused(answer)[0] in (400, 403), path
    for path in ("/uploads/%2e%2e/a", "/uploads/b/../a", "/uploads/a%5cb"):
        assert refused(await store.ask("GET", path, link=link)) == (400, "InvalidResourceName")
    listing = await store.ask("GET", "/uploads", query="restype=container&comp=list", link=link)
    assert refused(listing) == (403, "AuthenticationFailed")


async def test_no_link_a_forged_one_and_one_that_ended_open_nothing(store: Store) -> None:
    await store.put("a")
    good = store.link()
    store.files.clock.advance(30.0)
    late = store.link()
    store.files.clock.advance(30.0)
    for link in ("x=y", good, late.replace("sp=rwdl", "sp=rwd"), late[:-6] + "AAA%3D"):
        assert refused(await store.ask("GET", "/uploads/a", link=link)) == (403, "AuthenticationFailed")
    assert (await store.ask("GET", "/uploads/a", link=late)).status == 200


async def test_what_is_not_done_here_is_said(store: Store) -> None:
    for query in ("comp=tags", "comp=properties", "comp=metadata", "comp=appendblock"):
        assert refused(await store.ask("PUT", "/uploads/a", query=query)) == (400, "UnsupportedHeader")
    assert refused(await store.ask("GET", "/uploads/a", query="comp=tags")) == (400, "UnsupportedHeader")
    for kind in ("AppendBlob", "PageBlob", ""):
        assert refused(await store.ask("PUT", "/uploads/a", x_ms_blob_type=kind)) == (400, "UnsupportedHeader")
    for name in ("x-ms-copy-source", "x-ms-encryption-key"):
        assert refused(await store.put("a", more={name: "x"})) == (400, "UnsupportedHeader")
    assert (await store.put("a", x_ms_encryption_algorithm="AES256")).status == 201


async def test_headers_that_are_none(store: Store) -> None:
    for name, text in (
        ("content-md5", "x"),
        ("x-ms-blob-content-md5", "eA=="),
        ("x-ms-meta-a-b", "1"),
        ("x-ms-meta-a", "x" * 9000),
        ("x-ms-blob-content-type", "x" * 2000),
    ):
        assert refused(await store.put("a", more={name: text})) == (400, "InvalidInput")
    assert refused(await store.put("a", content_md5=b64encode(bytes(16)).decode())) == (400, "Md5Mismatch")
    odd = await store.put("a", x_ms_version="x" * 99, x_ms_client_request_id="\x01")
    assert (header(odd, "x-ms-version"), header(odd, "x-ms-client-request-id")) == ("2021-08-06", None)


async def test_only_what_is_put_comes_as_a_stream(store: Store) -> None:
    assert store.http.stream_limit(Head("PUT", "/uploads/a", "", {})) == MAX
    for method, path in (("GET", "/uploads/a"), ("PUT", "/uploads"), ("PUT", "/a//b"), ("POST", "/uploads/a")):
        assert store.http.stream_limit(Head(method, path, "", {})) is None
    answer = await store.ask("PATCH", "/uploads/a")
    assert answer.status == 405
