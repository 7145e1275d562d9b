"""Where imports come from and exports go: containers of this hub, or of hosts that the operator allows.

Protects against a second way to blobs: a container of this hub is opened by the link in its address, at the same gate
as any download, and for what the link allows.
"""

from collections.abc import AsyncIterator, Callable
from typing import Final
from urllib.parse import unquote, urlsplit

from ironhub.access.model import BlobPlace, Grant, Permission
from ironhub.access.service import authorise
from ironhub.core.errors import HubError
from ironhub.dialects.azure.blob_sas import decode_link
from ironhub.dialects.azure.bulk_json import decode_line, encode_import_error, encode_line
from ironhub.identity.links import LinkGate
from ironhub.identity.model import AuthenticationFailed, LinkPrincipal
from ironhub.messaging.files.blobs import BlobHead
from ironhub.messaging.files.keeper import BlobKeeper, Incoming
from ironhub.provisioning.bulk.model import Registered, Row
from ironhub.provisioning.transfer.model import ContainerInvalid
from ironhub.provisioning.transfer.ports import Container
from ironhub.storage.remote_container import RemoteContainers

TEXT: Final = BlobHead(content_type="text/plain; charset=utf-8")


class HubContainers:
    """A provisioning.transfer.ports.Containers: the hub's own by its own names, others as they may be reached."""

    def __init__(
        self, keeper: BlobKeeper, gate: LinkGate, is_own: Callable[[str], bool], remote: RemoteContainers
    ) -> None:
        self._keeper = keeper
        self._gate = gate
        self._is_own = is_own
        self._remote = remote

    def open(self, uri: str) -> Container:
        """Return the container. Raises ContainerInvalid."""
        try:
            parts = urlsplit(uri)
            host = parts.hostname or ""
        except ValueError:
            raise ContainerInvalid("the address of the container cannot be read") from None
        if not self._is_own(host):
            return self._remote.open(uri)
        names = [unquote(name) for name in parts.path.strip("/").split("/")]
        if names[:1] == [self._gate.account.name] and len(names) == 2:
            del names[0]
        if parts.scheme != "https" or len(names) != 1 or not names[0]:
            raise ContainerInvalid("a container of this hub is https://HOST/CONTAINER?SIGNATURE")
        try:
            link = self._gate.admit(decode_link(parts.query, self._gate.account.name, names[0], None))
        except AuthenticationFailed as error:
            raise ContainerInvalid("the signature of the container is not good", detail=error.detail) from None
        return OwnContainer(self._keeper, link, names[0])


class OwnContainer:
    """A provisioning.transfer.ports.Container of this hub, for the holder of a link."""

    def __init__(self, keeper: BlobKeeper, link: LinkPrincipal, name: str) -> None:
        self._keeper = keeper
        self._link = link
        self._name = name

    async def size(self, blob: str) -> int:
        """Return how many bytes a blob has."""
        try:
            return (await self._keeper.get(self._may(Permission.BLOB_READ, blob))).size
        except HubError as error:
            raise _invalid(error) from error

    async def read(self, blob: str, *, start: int) -> AsyncIterator[bytes]:
        """Yield a blob from the byte `start` on."""
        if start and start >= await self.size(blob):
            return
        try:
            _, _, pieces = await self._keeper.read(self._may(Permission.BLOB_READ, blob), start=start)
            async for piece in pieces:
                yield piece
        except HubError as error:
            raise _invalid(error) from error

    async def write(self, blob: str, pieces: AsyncIterator[bytes]) -> None:
        """Store a blob whole or not at all, in the place of what was there."""
        grant = self._may(Permission.BLOB_WRITE, blob)
        try:
            await self._keeper.put(grant, Incoming(pieces, None), TEXT)
        except HubError as error:
            raise _invalid(error) from error

    def _may(self, permission: Permission, blob: str) -> Grant:
        try:
            return authorise(self._link, permission, BlobPlace(self._name, blob))
        except HubError as error:
            raise _invalid(error) from error


class AzureLines:
    """A provisioning.transfer.ports.LineFormat: the lines of the vendor's own import and export files."""

    def decode(self, line: bytes) -> Row:
        """Return the row of a line. Raises HubError."""
        return decode_line(line)

    def encode(self, registered: Registered, *, with_keys: bool) -> bytes:
        """Return a line without its end."""
        return encode_line(registered.owner, registered.twin, with_keys=with_keys)

    def encode_error(self, row: Row | None, line: int, error: HubError) -> bytes:
        """Return a line, without its end, that tells what could not be done."""
        return encode_import_error("" if row is None else str(row.identity), line, error)


def _invalid(error: HubError) -> ContainerInvalid:
    return ContainerInvalid(f"the container cannot be used: {error}", detail=error.detail)
