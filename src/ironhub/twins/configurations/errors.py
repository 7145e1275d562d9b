"""What can be wrong with a configuration, or with what is asked of one."""

from typing import ClassVar

from ironhub.core.errors import HubError


class ConfigurationInvalid(HubError):
    """A configuration has a field that cannot be: its id, priority, labels or metrics."""

    code: ClassVar[str] = "configuration.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Correct what the message names; ids have lower-case letters, digits and - : + % _ # * ? ! ( ) , = @ ; $ '."
    )


class ConfigurationSchemaUnknown(HubError):
    """The configuration is written for another version of the format."""

    code: ClassVar[str] = "configuration.schema_unknown"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Write it in schema version 1.0."


class ConfigurationTargetInvalid(HubError):
    """The condition that says who is targeted cannot be understood, or is about twins of another kind."""

    code: ClassVar[str] = "configuration.target_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = (
        "Write * or a condition over device twins; for content of modules FROM devices.modules WHERE and a condition."
    )


class ConfigurationContentInvalid(HubError):
    """The content is of no kind or of several, or no twin could hold it."""

    code: ClassVar[str] = "configuration.content_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Give exactly one kind of content, each key a path such as properties.desired.settings."


class ConfigurationContentImmutable(HubError):
    """The content of a configuration never changes."""

    code: ClassVar[str] = "configuration.content_immutable"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Make a new configuration of a higher priority, then delete the old one."


class ConfigurationMetricInvalid(HubError):
    """The query of a custom metric cannot be understood, or does not select who is counted."""

    code: ClassVar[str] = "configuration.metric_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Write SELECT deviceId FROM devices WHERE and a condition."


class ConfigurationNotFound(HubError):
    """No such configuration."""

    code: ClassVar[str] = "configuration.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "See `ironhub config list` for those that are there."


class ConfigurationExists(HubError):
    """A configuration of this id is already there."""

    code: ClassVar[str] = "configuration.exists"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Choose another id, or update the one that is there."


class ConfigurationEtagMismatch(HubError):
    """Somebody else changed the configuration since the caller read it."""

    code: ClassVar[str] = "configuration.etag_mismatch"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Read it again, apply your change, and retry with the new etag."


class TooManyConfigurations(HubError):
    """The hub has all the configurations it may have."""

    code: ClassVar[str] = "configuration.too_many"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Delete one that is not needed any more; a hub has at most 100."
