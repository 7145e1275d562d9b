"""How a command leaves its queue, or goes back into it: the part of the store where feedback is written."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ironhub.core.ids import Identity
from ironhub.messaging.commands.model import Ack, Outcome
from ironhub.storage.feedback import asks_for
from ironhub.storage.sqlite import command_statements as statements
from ironhub.storage.sqlite.rows import reading
from ironhub.storage.sqlite.statements import identity_of, ids_of, key_of
from ironhub.storage.sqlite.transaction import Transaction


class Ending(NamedTuple):
    """What must be known of a command to end it."""

    sequence_number: int
    identity: Identity
    message_id: str
    ack: Ack
    delivery_count: int
    expires_at: float

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> "Ending":
        """From sequence_number, device_id, module_id, message_id, ack, delivery_count, expires_at."""
        number, device_id, module_id, message_id, ack, delivery_count, expires_at = row
        with reading(f"command {number}"):
            return cls(number, identity_of(device_id, module_id), message_id, Ack(ack), delivery_count, expires_at)


class Endings:
    """Ends commands within a transaction."""

    def __init__(self, feedback_ttl: float) -> None:
        self._feedback_ttl = feedback_ttl

    def remove(self, tx: Transaction, ending: Ending, now: float, outcome: Outcome) -> None:
        """Remove it for good, with a feedback record if its sender asked for this outcome."""
        tx.change(statements.REMOVE, {"of_sequence_number": ending.sequence_number})
        if asks_for(ending.ack, outcome):
            generation = tx.one(statements.GENERATION, key_of(ending.identity))
            record = {
                **ids_of(ending.identity),
                "generation_id": "" if generation is None else generation[0],
                "message_id": ending.message_id,
                "outcome": outcome.value,
                "at": now,
                "expires_at": now + self._feedback_ttl,
            }
            tx.change(statements.ADD_FEEDBACK, record)

    def put_back(self, tx: Transaction, ending: Ending, now: float, max_delivery_count: int) -> bool:
        """Count a delivery that came to nothing; False: it was one too many, or the command has expired meanwhile."""
        count = ending.delivery_count + 1
        if count >= max_delivery_count:
            self.remove(tx, ending, now, Outcome.DELIVERY_COUNT_EXCEEDED)
            return False
        self.unlock(tx, ending, count)
        return ending.expires_at > now

    def unlock(self, tx: Transaction, ending: Ending, delivery_count: int) -> None:
        """Put it back in its place."""
        it = {"of_sequence_number": ending.sequence_number, "delivery_count": delivery_count}
        tx.change(statements.PUT_BACK, it)
