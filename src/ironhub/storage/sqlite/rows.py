"""How values that are no columns of their own stand in a row: JSON, keys, and what to say when a row cannot be."""

import json
from typing import Any

from ironhub.core.errors import CorruptStore
from ironhub.core.ids import Identity
from ironhub.core.sealing import Sealer
from ironhub.core.strict_json import encode_json
from ironhub.identity.model import SymmetricKeys


def json_text(value: Any) -> str:
    """JSON as it stands in a text column."""
    if value == {}:  # most of what stands there, and an encoder costs more than the row
        return "{}"
    return encode_json(value).decode()


def json_object(text: str) -> dict[str, Any]:
    """The object that a text column holds. Raises ValueError, TypeError."""
    if text == "{}":  # as above
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    return value


class reading:  # noqa: N801 - it reads as the verb that it is, and a class costs a third of what a generator does
    """Turn what goes wrong while a row is read into CorruptStore that names it."""

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Begin to read."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raises CorruptStore."""
        if isinstance(error, (ValueError, TypeError, KeyError)):
            raise CorruptStore(f"{self._what} in hub.db cannot be read", detail=repr(error)) from error


def identity_context(identity: Identity) -> bytes:
    """What binds a sealed value to its row: moved to another one it does not open."""
    return f"identities/{identity.device_id}/{identity.module_id or ''}".encode()


def seal_keys(sealer: Sealer, keys: SymmetricKeys, context: bytes) -> bytes:
    """Both keys encrypted, for a column."""
    return sealer.seal(bytes([len(keys.primary)]) + keys.primary + keys.secondary, context)


def open_keys(sealer: Sealer, sealed: bytes, context: bytes) -> SymmetricKeys:
    """The keys again. Raises CorruptStore."""
    plain = sealer.open(sealed, context)
    end = 1 + plain[0]
    return SymmetricKeys(plain[1:end], plain[end:])
