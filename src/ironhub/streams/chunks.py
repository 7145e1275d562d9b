"""Chunks: many entries of one partition as one value on the disk, packed, sealed and checksummed.

Protects against a disk that returns something else than was written, and against a copy of the file without the keys.
The checksum covers what is stored, so damage is found without keys; the seal binds a chunk to its place and its time,
so an intact chunk that somebody moved or re-dated does not open.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, cast

import msgspec

from ironhub.core.errors import CorruptStore
from ironhub.core.sealing import Sealer
from ironhub.messaging.telemetry.model import Entry, Origin

_HEADER: Final = struct.Struct(">HQId")
_ENTRY_OVERHEAD: Final = 256
_MAX_ORIGINS: Final = 8192
_Columns = tuple[list[msgspec.Raw], list[int], list[bytes], list[bytes], list[int]]
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Columns)
_origin_decoder: Final = msgspec.msgpack.Decoder(Origin)


class Chunk(NamedTuple):
    """One chunk as stored. What is read back may hold anything: `open_chunk` finds out."""

    partition: int
    first: int
    """Sequence number of its first entry."""
    size: int
    """How many entries it holds, at least one."""
    enqueued_at: float
    """Seconds since the epoch, UTC; the same for all its entries."""
    checksum: int
    """CRC-32 of the four fields above and `body`."""
    body: bytes
    """The packed entries, sealed."""


class Origins:
    """Origins as they were met before: one object for each, in whatever chunks it stands, so that who reads on may know
    it by identity. Keeps a bounded number."""

    def __init__(self, limit: int = _MAX_ORIGINS) -> None:
        self._limit = limit
        self._known: dict[bytes, Origin] = {}

    def of(self, packed: bytes) -> Origin:
        """Return what `packed` says. Raises msgspec.DecodeError."""
        origin = self._known.get(packed)
        if origin is None:
            origin = _origin_decoder.decode(packed)
            if len(self._known) >= self._limit:
                self._known.clear()
            self._known[packed] = origin
        return origin


def seal_chunk(partition: int, first: int, enqueued_at: float, entries: Sequence[Entry], sealer: Sealer) -> Chunk:
    """Return `entries` (not empty) as a chunk that holds sequence numbers from `first` on."""
    header = _HEADER.pack(partition, first, len(entries), enqueued_at)
    body = sealer.seal(_pack(entries), _context(header))
    return Chunk(partition, first, len(entries), enqueued_at, zlib.crc32(body, zlib.crc32(header)), body)


def open_chunk(chunk: Chunk, sealer: Sealer, origins: Origins | None = None) -> tuple[Entry, ...]:
    """Return the entries of `chunk`, as they were given.

    Args:
        origins: of whoever opens many chunks.

    Raises:
        CorruptStore: damaged, in another place, or sealed with a key that is not here (UnknownKey).
    """
    header = verify_checksum(chunk)
    entries = _unpack(sealer.open(chunk.body, _context(header)), origins or Origins())
    if len(entries) != chunk.size:
        raise CorruptStore("a chunk holds another number of entries than it says")
    return entries


def verify_checksum(chunk: Chunk) -> bytes:
    """Return the packed fields before the checksum, which matches; needs no key. Raises CorruptStore."""
    try:
        header = _HEADER.pack(chunk.partition, chunk.first, chunk.size, chunk.enqueued_at)
        checksum = zlib.crc32(chunk.body, zlib.crc32(header))
    except (struct.error, TypeError) as error:
        raise CorruptStore("a chunk has fields of another type than were written") from error
    if checksum != chunk.checksum:
        raise CorruptStore("a chunk's checksum does not match")
    return header


def size_of(entries: Sequence[Entry]) -> int:
    """Return about how many bytes of memory `entries` take."""
    total = _ENTRY_OVERHEAD * len(entries)
    for _, properties, body, _ in entries:
        total += len(properties) + len(body)
    return total


def split(entries: Sequence[Entry], max_bytes: int) -> Iterator[Sequence[Entry]]:
    """Cut `entries` into runs of at most `max_bytes` by `size_of`, in order; an entry larger than that stands alone."""
    begin = size = 0
    for index, entry in enumerate(entries):
        grown = size + _ENTRY_OVERHEAD + len(entry.properties) + len(entry.body)
        if grown > max_bytes and index > begin:
            yield entries[begin:index]
            begin, grown = index, grown - size
        size = grown
    yield entries[begin:]


def _pack(entries: Sequence[Entry]) -> bytes:
    # Columns, and origins by identity: everything here runs in C, a few hundred nanoseconds an entry.
    origins, properties, bodies, flags = zip(*entries, strict=True)
    keys = list(map(id, origins))
    table = dict(zip(keys, origins, strict=True))
    places = {key: place for place, key in enumerate(table)}
    return _encoder.encode((list(table.values()), list(map(places.__getitem__, keys)), properties, bodies, flags))


def _unpack(packed: bytes, origins: Origins) -> tuple[Entry, ...]:
    try:
        table, places, properties, bodies, flags = _decoder.decode(packed)
        known = list(map(origins.of, map(bytes, table)))
        columns = zip(map(known.__getitem__, places), properties, bodies, flags, strict=True)
        return tuple(map(Entry._make, cast("Iterator[tuple[Origin, bytes, bytes, int]]", columns)))
    except (msgspec.DecodeError, IndexError, ValueError) as error:
        raise CorruptStore("a chunk opens but does not hold entries") from error


def _context(header: bytes) -> bytes:
    return b"ironhub chunk 1" + header
