"""Whose mistake it was: the peer's (ProtocolViolation) or our own caller's (UsageError)."""

from ironhub.wire.mqtt.reasons import ReasonCode


class ProtocolViolation(Exception):
    """The peer sent what the standard does not allow; its connection must end.

    `str(error)` says which rule was broken and never repeats what was sent; `code` is the MQTT 5 reason code for it.
    """

    def __init__(self, reason: str, code: int = ReasonCode.MALFORMED_PACKET) -> None:
        super().__init__(reason)
        self.code = code


class UnsupportedLevel(ProtocolViolation):
    """A CONNECT of a protocol level that is none of 3, 4 and 5; it can be answered but not read."""

    def __init__(self) -> None:
        super().__init__("CONNECT has an unknown protocol level", ReasonCode.UNSUPPORTED_PROTOCOL_VERSION)


class UsageError(Exception):
    """Our own caller asked for what cannot be encoded, or what the session's state does not allow."""


class PacketTooLarge(UsageError):
    """The packet is larger than this peer takes; nothing was sent and no packet id is in use."""
