"""Uploads into an account of any store that speaks Azure storage: the hub signs, and looks what really came.

Protects the account: its key stays here, a device gets a link to one blob, for as long as its upload may take.
"""

import binascii
from base64 import b64decode
from email.utils import parsedate_to_datetime
from typing import ClassVar, Final
from urllib.parse import quote, urlsplit

import httpx

from ironhub.core.clock import Clock
from ironhub.core.errors import HubError
from ironhub.dialects.azure.blob_sas import encode_link
from ironhub.dialects.azure.connection_string import ConnectionStringInvalid, decode_connection_string
from ironhub.identity.links import BlobAccount
from ironhub.identity.model import SymmetricKeys
from ironhub.messaging.files.model import DepotUnreachable, StoredFile

LOOK_TTL: Final = 300.0
"""Seconds that the hub's own links are good for."""
CLOCK_LEEWAY: Final = 300.0
"""Seconds by which the store's clock may be behind."""
TIMEOUT: Final = 8.0
"""Seconds that the store may take to say what it has; a device waits for ten."""
UPLOAD_RIGHTS: Final = "rw"
_SUFFIX: Final = "core.windows.net"


class AccountInvalid(HubError):
    """The connection string of the storage account cannot be used."""

    code: ClassVar[str] = "file.account_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Put the account's connection string, with AccountName and AccountKey, into the file that upload_account names."
    )


class ExternalAccount:
    """What a connection string of a storage account says."""

    def __init__(self, text: str) -> None:
        """Read it. Raises AccountInvalid, which never repeats the key."""
        try:
            parts = decode_connection_string(text)
            key = b64decode(parts["AccountKey"], validate=True)
            name = parts["AccountName"]
        except (ConnectionStringInvalid, KeyError, binascii.Error) as error:
            raise AccountInvalid("the file holds no connection string of a storage account") from error
        scheme, suffix = parts.get("DefaultEndpointsProtocol", "https"), parts.get("EndpointSuffix", _SUFFIX)
        self.endpoint = parts.get("BlobEndpoint", f"{scheme}://{name}.blob.{suffix}").rstrip("/")
        """Where it is reached, with the scheme."""
        self.account = BlobAccount(name, SymmetricKeys(key, key))

    @property
    def host(self) -> str:
        """Where it is reached, without the scheme; may carry a port and, at an emulator, a path."""
        split = urlsplit(self.endpoint)
        return f"{split.netloc}{split.path}"


class ExternalDepot:
    """A Depot over an account elsewhere."""

    def __init__(self, account: ExternalAccount, client: httpx.AsyncClient, clock: Clock, container: str) -> None:
        self.container = container
        self._account = account
        self._client = client
        self._clock = clock

    def host(self, asked: str) -> str:
        """Return where the blob is to be sent: always the account's own place."""
        del asked
        return self._account.host

    def sign(self, blob: str, *, now: float, expires_at: float) -> str:
        """Return the query that lets its holder write and read this one blob until `expires_at`."""
        return self._link(blob, UPLOAD_RIGHTS, now, expires_at)

    async def stored(self, container: str, blob: str) -> StoredFile | None:
        """Return what lies there, None when there is no such blob. Raises DepotUnreachable."""
        now = self._clock.now()
        address = f"{self._account.endpoint}/{container}/{quote(blob)}?{self._link(blob, 'r', now, now + LOOK_TTL)}"
        try:
            answer = await self._client.head(address, timeout=TIMEOUT, headers={"x-ms-version": "2021-08-06"})
        except httpx.HTTPError as error:
            raise DepotUnreachable("the storage account cannot be reached", detail=type(error).__name__) from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            detail = f"{answer.status_code} {answer.headers.get('x-ms-error-code', '')}"
            raise DepotUnreachable("the storage account did not answer as it should", detail=detail)
        return _stored(answer.headers, now)

    async def give_up(self, container: str, blob: str) -> None:
        """What was never completed there, the account itself forgets after a week."""

    def _link(self, blob: str, rights: str, now: float, expires_at: float) -> str:
        return encode_link(
            self._account.account,
            self.container,
            blob,
            rights,
            expires_at=expires_at,
            starts_at=now - CLOCK_LEEWAY,
            https_only=self._account.endpoint.startswith("https:"),
        )


def _stored(headers: httpx.Headers, now: float) -> StoredFile:
    try:
        size = int(headers["content-length"])
        modified = headers.get("last-modified")
        return StoredFile(size, parsedate_to_datetime(modified).timestamp() if modified else now)
    except (KeyError, ValueError) as error:
        raise DepotUnreachable("the storage account's answer tells no size", detail=repr(error)) from error
