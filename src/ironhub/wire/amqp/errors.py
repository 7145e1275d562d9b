"""What can be wrong with a peer's bytes, and how one side tells the other."""

from typing import NamedTuple

from ironhub.wire.amqp.conditions import DECODE_ERROR


class Error(NamedTuple):
    """Why a link, session or connection ended, or a delivery was rejected (2.8.14)."""

    condition: str
    """One of `conditions`, or a name of the peer's own."""
    description: str = ""
    info: bytes | None = None
    """An encoded map."""


class ProtocolViolation(Exception):
    """The peer sent what the standard does not allow. `condition` is what to tell it."""

    def __init__(self, condition: str, message: str) -> None:
        super().__init__(message)
        self.condition = condition


class MalformedValue(ProtocolViolation):
    """Bytes that are no AMQP value, not the one that belongs there, or more of one than is read."""

    def __init__(self, message: str) -> None:
        super().__init__(DECODE_ERROR, message)
