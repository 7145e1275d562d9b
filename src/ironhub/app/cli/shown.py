"""What people see of a device and of a module alike."""

from typing import Any, Final

STATE_COLUMNS: Final = ("AUTH", "CONNECTED", "LAST ACTIVITY", "COMMANDS")


def state_of(identity: dict[str, Any]) -> tuple[Any, ...]:
    """Return the cells below STATE_COLUMNS."""
    return (
        identity["auth"]["kind"],
        identity["connected"],
        identity["last_activity_at"],
        identity["pending_commands"],
    )


def details_of(identity: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of one; None: not known, or not asked for."""
    auth = identity["auth"]
    keys = auth.get("keys") or {}
    return {
        "auth": auth["kind"],
        "thumbprints": ", ".join(auth["thumbprints"]) if auth.get("thumbprints") else None,
        "primary key": keys.get("primary"),
        "secondary key": keys.get("secondary"),
        "connected": identity["connected"],
        "last activity": identity["last_activity_at"],
        "commands waiting": identity["pending_commands"],
        "created": identity["created_at"],
        "etag": identity["etag"],
    }
