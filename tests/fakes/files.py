"""The services of files over stores in memory, and grants for them."""

from collections.abc import AsyncIterator

from tests.fakes.services import SmallHub

from ironhub.access.model import BlobPlace, Grant, Permission
from ironhub.access.service import authorise
from ironhub.identity.links import BlobAccount, LinkGate
from ironhub.identity.model import LinkPrincipal, LinkRight, SymmetricKeys
from ironhub.messaging.files.blobs import Blob, BlobHead, BlobSettings
from ironhub.messaging.files.collector import FileCollector
from ironhub.messaging.files.keeper import BlobKeeper, Incoming
from ironhub.messaging.files.model import FileSettings
from ironhub.messaging.files.service import UploadService
from ironhub.storage.blobs.own import OwnDepot
from ironhub.storage.memory.contents import MemoryContents

ACCOUNT = BlobAccount("ironhub0a1b2c3d4e5f", SymmetricKeys(b"p" * 64, b"s" * 64))
ALL_RIGHTS = frozenset(LinkRight)


class SmallFiles(SmallHub):
    """Uploads and blobs of a small hub."""

    def __init__(self, blobs: BlobSettings | None = None, uploads: FileSettings | None = None) -> None:
        super().__init__()
        self.contents = MemoryContents()
        self.index = self.stores.blobs
        self.keeper = BlobKeeper(self.index, self.contents, self.clock, self.entropy, blobs)
        self.depot = OwnDepot(self.index, ACCOUNT, self.clock, "uploads")
        self.uploads = UploadService(self.stores.uploads, self.depot, self.clock, self.entropy, uploads)
        self.links = LinkGate(ACCOUNT, self.clock)
        self.collector = FileCollector(self.uploads, self.keeper, self.stores.uploads, self.index, self.clock)

    async def put(self, name: str, data: bytes, container: str = "uploads") -> Blob:
        """Store a blob."""
        return await self.keeper.put(by_link(Permission.BLOB_WRITE, name, container), incoming(data), BlobHead())


def by_link(permission: Permission, name: str | None, container: str = "uploads") -> Grant:
    """The grant of somebody with a link to everything in the container."""
    principal = LinkPrincipal(container, None, ALL_RIGHTS, 2e9)
    return authorise(principal, permission, BlobPlace(container, name))


def incoming(*pieces: bytes, announced: int | None = None, md5: bytes | None = None) -> Incoming:
    """Content that comes in these pieces."""

    async def each() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return Incoming(each(), announced, md5)


async def gathered(pieces: AsyncIterator[bytes]) -> bytes:
    """All of it."""
    return b"".join([piece async for piece in pieces])
