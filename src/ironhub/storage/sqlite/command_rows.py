"""Commands and feedback as rows, and back."""

from ironhub.messaging.commands.model import Ack, Command, Feedback, Outcome
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import Values, identity_of, ids_of
from ironhub.storage.sqlite.tables import Row


def command_values(command: Command) -> Values:
    """All columns but the sequence number, which the database gives, and those of a lock."""
    return {
        **ids_of(command.identity),
        "message_id": command.message_id,
        "body": command.body,
        "enqueued_at": command.enqueued_at,
        "expires_at": command.expires_at,
        "due_at": command.expires_at,
        "ack": command.ack.value,
        "correlation_id": command.correlation_id,
        "user_id": command.user_id,
        "content_type": command.content_type,
        "content_encoding": command.content_encoding,
        "properties": json_text(command.properties),
        "delivery_count": command.delivery_count,
    }


def command_of(row: Row) -> Command:
    """The command in a row of `command_statements.COMMAND_COLUMNS`. Raises CorruptStore."""
    with reading(f"command {row[0]}"):
        return Command(
            sequence_number=row[0],
            identity=identity_of(row[1], row[2]),
            message_id=row[3],
            body=row[4],
            enqueued_at=row[5],
            expires_at=row[6],
            ack=Ack(row[7]),
            correlation_id=row[8],
            user_id=row[9],
            content_type=row[10],
            content_encoding=row[11],
            properties=json_object(row[12]),
            delivery_count=row[13],
        )


def feedback_of(row: Row) -> Feedback:
    """The record in a row of the feedback table. Raises CorruptStore."""
    record_id, device_id, module_id, generation_id, message_id, outcome, at, expires_at = row
    with reading(f"feedback record {record_id}"):
        return Feedback(
            record_id=record_id,
            identity=identity_of(device_id, module_id),
            generation_id=generation_id,
            message_id=message_id,
            outcome=Outcome(outcome),
            at=at,
            expires_at=expires_at,
        )
