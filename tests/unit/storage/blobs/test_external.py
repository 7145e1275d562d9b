"""Uploads into an account elsewhere: signed here, and looked at before anybody is told."""

from base64 import b64encode
from collections.abc import Callable

import httpx
import pytest
from tests.fakes.clock import START, FakeClock

from ironhub.dialects.azure.blob_sas import decode_link
from ironhub.identity.links import LinkGate
from ironhub.identity.model import LinkRight
from ironhub.messaging.files.model import DepotUnreachable, StoredFile
from ironhub.storage.blobs.external import AccountInvalid, ExternalAccount, ExternalDepot

KEY = b64encode(bytes(64)).decode()
PLAIN = f"DefaultEndpointsProtocol=https;AccountName=press;AccountKey={KEY};EndpointSuffix=core.windows.net"
EMULATOR = f"AccountName=dev;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:10000/dev;"


def depot(
    answer: Callable[[httpx.Request], httpx.Response], text: str = PLAIN, asked: list[httpx.Request] | None = None
) -> ExternalDepot:
    """A depot whose account answers so."""

    def handle(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        return answer(request)

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return ExternalDepot(ExternalAccount(text), client, FakeClock(), "box")


def found(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, headers={"content-length": "7", "last-modified": "Thu, 28 May 2026 20:26:41 GMT"})


def test_accounts_are_read_from_their_connection_strings() -> None:
    assert ExternalAccount(PLAIN).endpoint == "https://press.blob.core.windows.net"
    assert ExternalAccount(EMULATOR).host == "127.0.0.1:10000/dev"
    assert depot(found).host("hub.example") == "press.blob.core.windows.net"


@pytest.mark.parametrize(
    "text",
    ["", "x", "AccountName=a", f"AccountKey={KEY}", "AccountName=a;AccountKey=!", f"HostName=h;SharedAccessKey={KEY}"],
)
def test_what_is_no_account(text: str) -> None:
    with pytest.raises(AccountInvalid) as caught:
        ExternalAccount(text)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", [PLAIN, EMULATOR])
def test_a_device_gets_a_link_to_its_one_blob(text: str) -> None:
    account = ExternalAccount(text).account
    token = depot(found, text).sign("press-7/a", now=START, expires_at=START + 60.0)
    principal = LinkGate(account, FakeClock()).admit(decode_link(token, account.name, "box", "press-7/a"))
    assert (principal.blob, principal.expires_at) == ("press-7/a", START + 60.0)
    assert principal.rights == {LinkRight.READ, LinkRight.WRITE}
    assert ("spr=https" in token) == (text is PLAIN)


async def test_what_lies_there_is_asked_of_the_account() -> None:
    asked: list[httpx.Request] = []
    store = depot(found, asked=asked)
    assert await store.stored("box", "press-7/a b#") == StoredFile(7, START + 1.0)
    assert asked[0].method == "HEAD"
    assert str(asked[0].url).startswith("https://press.blob.core.windows.net/box/press-7/a%20b%23?sv=")
    assert "sp=r&" in str(asked[0].url)
    await store.give_up("box", "press-7/a")
    assert len(asked) == 1


async def test_a_blob_that_is_not_there_and_an_answer_without_a_date() -> None:
    assert await depot(lambda _: httpx.Response(404)).stored("box", "a") is None
    dateless = await depot(lambda _: httpx.Response(200, headers={"content-length": "7"})).stored("box", "a")
    assert dateless == StoredFile(7, START)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no", request=request)


@pytest.mark.parametrize(
    "answer",
    [
        unreachable,
        lambda _: httpx.Response(403, headers={"x-ms-error-code": "AuthenticationFailed"}),
        lambda _: httpx.Response(302, headers={"location": "https://evil.example"}),
        lambda _: httpx.Response(200, headers={"content-length": "x"}),
        lambda _: httpx.Response(200, headers={"content-length": "1", "last-modified": "x"}),
    ],
)
async def test_an_account_that_does_not_answer_as_it_should(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    with pytest.raises(DepotUnreachable):
        await depot(answer).stored("box", "a")
