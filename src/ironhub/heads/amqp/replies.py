"""Answers to requests ($cbs, $management): on which link they go, and where they wait until it has credit."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ironhub.wire.amqp import IncomingLink, OutgoingLink


class ReplyLinks:
    """The links on which one peer takes the answers from one address, and the answers that wait for credit."""

    def __init__(self, limit: int) -> None:
        """Begin with no links; at most `limit` answers wait."""

    def enter(self, link: "OutgoingLink") -> None:
        """The peer takes answers on `link`, which was accepted."""

    def leave(self, link: "OutgoingLink") -> None:
        """`link` is over."""

    def answer(self, request: "IncomingLink", reply_to: str | None, payload: bytes) -> None:
        """Send `payload` (a whole message) in answer to what came on `request`, now or once there is credit.

        It goes to a link of the same session, the one whose target address or name is `reply_to`, else the newest.
        Then `Peer.soon_flush`. Raises TooManyRequests: too many answers wait.
        """

    def pour(self) -> None:
        """Send what waits, as far as there is credit; the reply node's `credited`."""
