"""Containers of blobs in memory, and a spool; they do what is told of them and can fail."""

from collections.abc import AsyncIterator, Callable

from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import identity
from ironhub.provisioning.bulk.model import Registered, Row, RowMode
from ironhub.provisioning.transfer.model import ContainerInvalid


class FakeContainers:
    """Every address that begins with https://good is the one container `blobs`."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.piece = 64
        self.on_read: Callable[[], None] = lambda: None
        """Called before each piece is read."""
        self.opened: list[str] = []

    def open(self, uri: str) -> "FakeContainers":
        """Return the container. Raises ContainerInvalid."""
        self.opened.append(uri)
        if not uri.startswith("https://good"):
            raise ContainerInvalid("not there")
        return self

    async def size(self, blob: str) -> int:
        """Return how many bytes a blob has."""
        if blob not in self.blobs:
            raise ContainerInvalid("no such blob")
        return len(self.blobs[blob])

    async def read(self, blob: str, *, start: int) -> AsyncIterator[bytes]:
        """Yield a blob from the byte `start` on."""
        content = self.blobs[blob]
        for begin in range(start, len(content), self.piece):
            self.on_read()
            yield content[begin : begin + self.piece]

    async def write(self, blob: str, pieces: AsyncIterator[bytes]) -> None:
        """Store a blob whole."""
        self.blobs[blob] = b"".join([piece async for piece in pieces])


class FakeSpools:
    """Spools in memory, by job."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def open(self, job_id: str) -> "FakeSpool":
        """Return the spool of a job."""
        return FakeSpool(self.kept, job_id)


class FakeSpool:
    """One spool."""

    def __init__(self, kept: dict[str, bytes], job_id: str) -> None:
        self._kept = kept
        self._job_id = job_id

    def cut(self, size: int) -> None:
        """Forget what is behind `size`."""
        if self._job_id in self._kept:
            self._kept[self._job_id] = self._kept[self._job_id][:size]

    def append(self, data: bytes) -> int:
        """Append."""
        self._kept[self._job_id] = self._kept.get(self._job_id, b"") + data
        return len(self._kept[self._job_id])

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield everything."""
        yield self._kept[self._job_id]

    def delete(self) -> None:
        """Forget it."""
        self._kept.pop(self._job_id, None)


class PlainLines:
    """A line is the id of a device; an exported line tells whether keys were asked for."""

    def decode(self, line: bytes) -> Row:
        """Return the row of a line. Raises HubError."""
        if line == b"broken":
            raise InvalidArgument("no row")
        return Row(identity=identity(line.decode()), mode=RowMode.CREATE)

    def encode(self, registered: Registered, *, with_keys: bool) -> bytes:
        """Return a line."""
        return f"{registered.owner.identity} {with_keys}".encode()

    def encode_error(self, row: Row | None, line: int, error: HubError) -> bytes:
        """Return a line."""
        return f"{line} {'?' if row is None else row.identity} {error.code}".encode()
