from ironhub.core.errors import HubError
from ironhub.messaging.commands.model import (
    CommandDraft,
    CommandSettings,
    CommandTooLarge,
    ExpiryInvalid,
    LockLost,
    QueueFull,
)


def test_the_bounds_are_those_that_back_ends_know() -> None:
    settings = CommandSettings()
    assert (settings.max_pending, settings.max_delivery_count, settings.max_body) == (50, 10, 65_536)
    assert (settings.default_ttl, settings.max_ttl, settings.lock_duration) == (3600.0, 2 * 86_400.0, 60.0)


def test_drafts_share_no_properties() -> None:
    assert CommandDraft(body=b"").properties is not CommandDraft(body=b"").properties


def test_errors_have_stable_codes_and_statuses() -> None:
    errors: list[type[HubError]] = [QueueFull, LockLost, CommandTooLarge, ExpiryInvalid]
    assert [(error.code, error.status) for error in errors] == [
        ("command.queue_full", 403),
        ("command.lock_lost", 412),
        ("command.too_large", 413),
        ("command.expiry_invalid", 403),
    ]
