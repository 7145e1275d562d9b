"""Broken rules that cost less than the connection, and the mistakes of our own callers."""

from typing import Final

from ironhub.wire.amqp.errors import Error


class SessionViolation(Exception):
    """The peer broke a rule that costs it this session and not the connection."""

    def __init__(self, condition: str, message: str) -> None:
        super().__init__(message)
        self.error: Final = Error(condition, message)


class LinkViolation(Exception):
    """The peer broke a rule that costs it this link and nothing else."""

    def __init__(self, condition: str, message: str) -> None:
        super().__init__(message)
        self.error: Final = Error(condition, message)


class UsageError(Exception):
    """Our caller did what it may not do; the peer has no part in it."""
