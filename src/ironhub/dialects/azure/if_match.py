"""Etags in HTTP headers: clients send them quoted, raw, weak, or as a quoted asterisk.

Source: what the vendor's SDKs send; RFC 9110, 8.8.3 and 13.1.1.
"""

from typing import Final

ANY: Final = "*"


def decode_if_match(header: str | None) -> str | None:
    """Return the etag that must match without its quotes, "*" for any, None when nothing is asked for."""
    if header is None:
        return None
    etag = header.strip().removeprefix("W/")
    if len(etag) >= 2 and etag[0] == etag[-1] == '"':
        etag = etag[1:-1]
    return etag


def encode_etag(etag: str) -> str:
    """Return the value of an ETag header."""
    return f'"{etag}"'
