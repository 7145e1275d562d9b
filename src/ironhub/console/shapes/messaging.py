"""Twins, commands and direct methods as callers send them and see them."""

from base64 import b64decode
from typing import Any

from pydantic import Field

from ironhub.console.shapes import Given, Taken, example
from ironhub.console.shapes.instants import shown_instant
from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import encode_json
from ironhub.messaging.commands.model import MAX_TEXT, Ack, Command, CommandDraft, Feedback, Outcome
from ironhub.messaging.methods.model import MethodCall
from ironhub.twins.model import Section, Twin, etag_of


class TwinChange(Taken):
    """Sections to be merged into the twin, or to replace it with. Null: leave it (merge), or empty it (replace)."""

    model_config = example(tags={"hall": "B2"}, desired={"interval": 5, "mode": None})

    tags: dict[str, Any] | None = None
    desired: dict[str, Any] | None = None


class SectionGiven(Given):
    """One section of properties with its own version."""

    version: int
    properties: dict[str, Any]

    @classmethod
    def of(cls, section: Section) -> "SectionGiven":
        """Return what callers see of `section`."""
        return cls(version=section.version, properties=section.properties)


class TwinGiven(Given):
    """A twin as stored."""

    device_id: str
    module_id: str | None
    version: int
    etag: str
    tags: dict[str, Any]
    desired: SectionGiven
    reported: SectionGiven

    @classmethod
    def of(cls, twin: Twin) -> "TwinGiven":
        """Return what callers see of `twin`."""
        return cls(
            device_id=twin.identity.device_id,
            module_id=twin.identity.module_id,
            version=twin.version,
            etag=etag_of(twin),
            tags=twin.tags,
            desired=SectionGiven.of(twin.desired),
            reported=SectionGiven.of(twin.reported),
        )


class MethodTaken(Taken):
    """A direct method to call; time-outs in seconds."""

    model_config = example(name="reboot", payload={"delay": 3}, response_timeout=10)

    name: str = Field(max_length=200)
    payload: Any = None
    response_timeout: float = 30.0
    connect_timeout: float = 0.0

    def call(self) -> MethodCall:
        """Return it as the method service takes it."""
        return MethodCall(
            name=self.name,
            payload=encode_json(self.payload),
            response_timeout=self.response_timeout,
            connect_timeout=self.connect_timeout,
        )


class MethodGiven(Given):
    """What the device answered."""

    status: int
    payload: Any


class NewCommand(Taken):
    """A command to be queued: its body as text, or as base64 for other bytes."""

    model_config = example(body="take a break", ttl=3600, ack="full")

    body: str | None = None
    body_base64: str | None = None
    message_id: str | None = Field(default=None, max_length=MAX_TEXT)
    ttl: float | None = Field(default=None, gt=0)
    """Seconds it may wait; null: the hub's default."""
    ack: Ack = Ack.NONE
    correlation_id: str = Field(default="", max_length=MAX_TEXT)
    user_id: str = Field(default="", max_length=MAX_TEXT)
    content_type: str = Field(default="", max_length=MAX_TEXT)
    content_encoding: str = Field(default="", max_length=MAX_TEXT)
    properties: dict[str, str] = Field(default_factory=dict, max_length=200)

    def draft(self, now: float) -> CommandDraft:
        """Return it as the command service takes it. Raises InvalidArgument."""
        return CommandDraft(
            body=self._bytes(),
            message_id=self.message_id,
            expires_at=None if self.ttl is None else now + self.ttl,
            ack=self.ack,
            correlation_id=self.correlation_id,
            user_id=self.user_id,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            properties=self.properties,
        )

    def _bytes(self) -> bytes:
        if self.body is not None and self.body_base64 is not None:
            raise InvalidArgument("give the body as text or as base64, not both")
        if self.body_base64 is None:
            return (self.body or "").encode()
        try:
            return b64decode(self.body_base64, validate=True)
        except ValueError:
            raise InvalidArgument("body_base64 is no base64") from None


class CommandGiven(Given):
    """A command as queued."""

    device_id: str
    module_id: str | None
    message_id: str
    sequence_number: int
    enqueued_at: str
    expires_at: str

    @classmethod
    def of(cls, command: Command) -> "CommandGiven":
        """Return what callers see of `command`."""
        return cls(
            device_id=command.identity.device_id,
            module_id=command.identity.module_id,
            message_id=command.message_id,
            sequence_number=command.sequence_number,
            enqueued_at=shown_instant(command.enqueued_at),
            expires_at=shown_instant(command.expires_at),
        )


class QueueGiven(Given):
    """How full a command queue is."""

    pending: int


class PurgedGiven(Given):
    """How many commands were removed."""

    purged: int


class FeedbackGiven(Given):
    """What became of one command whose sender asked to be told."""

    record_id: int
    device_id: str
    module_id: str | None
    message_id: str
    outcome: Outcome
    at: str

    @classmethod
    def of(cls, feedback: Feedback) -> "FeedbackGiven":
        """Return what callers see of `feedback`."""
        return cls(
            record_id=feedback.record_id,
            device_id=feedback.identity.device_id,
            module_id=feedback.identity.module_id,
            message_id=feedback.message_id,
            outcome=feedback.outcome,
            at=shown_instant(feedback.at),
        )


class FeedbackList(Given):
    """Feedback in the order in which it was recorded."""

    feedback: tuple[FeedbackGiven, ...]
