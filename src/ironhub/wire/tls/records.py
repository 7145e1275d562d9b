"""Where TLS records begin and end, so that OpenSSL gets whole ones and one read per record is enough."""

from ironhub.wire.tls.model import MAX_RECORD_BODY, RECORD_HEADER

_CONTENT_TYPES = frozenset(range(20, 25))


def whole_records(data: bytes | bytearray | memoryview) -> int:
    """Return how many bytes of `data`, which begins with a record, are whole records: all that can be handed on.

    What is no TLS record counts as whole to its end: OpenSSL finds the right words for it.
    """
    size = len(data)
    edge = 0
    while size - edge >= RECORD_HEADER:
        body = data[edge + 3] << 8 | data[edge + 4]
        if data[edge] not in _CONTENT_TYPES or data[edge + 1] != 3 or body > MAX_RECORD_BODY:
            return size
        if edge + RECORD_HEADER + body > size:
            return edge
        edge += RECORD_HEADER + body
    if edge < size and data[edge] not in _CONTENT_TYPES:
        return size
    return edge
