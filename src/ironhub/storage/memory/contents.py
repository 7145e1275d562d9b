"""The content of blobs in memory."""

from collections.abc import Sequence

from ironhub.core.errors import CorruptStore


class MemoryContents:
    """Contents in a dictionary."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def create(self, content_id: str) -> "MemoryWriter":
        """Begin a new one."""
        return MemoryWriter(self, content_id)

    async def read(self, content_id: str, *, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to, not including, `end`. Raises CorruptStore."""
        found = self.files.get(content_id)
        if found is None or end > len(found):
            raise CorruptStore("a part of a blob is not there, or was cut short")
        return found[start:end]

    async def delete(self, content_ids: Sequence[str]) -> None:
        """Delete them; those that are not there are no error."""
        for content_id in content_ids:
            self.files.pop(content_id, None)


class MemoryWriter:
    """Takes the content of one."""

    def __init__(self, contents: MemoryContents, content_id: str) -> None:
        self._contents = contents
        self._content_id = content_id
        self._data = bytearray()

    async def write(self, data: bytes) -> None:
        """Append."""
        self._data += data

    async def finish(self) -> None:
        """Make it readable."""
        self._contents.files[self._content_id] = bytes(self._data)

    async def discard(self) -> None:
        """Forget it."""
        self._contents.files.pop(self._content_id, None)
