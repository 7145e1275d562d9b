"""What has to change so that a hub holds what a file wants: pure; keys are compared and never shown."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ironhub.app.apply.shapes import WantedAuth, WantedTwin

MARKS: Final = {"create": "+", "change": "~", "delete": "-"}


class Kind(StrEnum):
    """What happens to something."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the admin API."""

    method: str
    path: tuple[str, ...]
    body: dict[str, Any] | None = None
    if_match: str | None = None
    module: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is created, changed or deleted, as people see it and as the hub is asked for it."""

    kind: Kind
    what: str
    """E.g. "device press-7"."""
    lines: tuple[str, ...] = ()
    """What differs, without secrets."""
    steps: tuple[Step, ...] = ()

    def shown(self) -> list[str]:
        """Return the lines of a diff."""
        return [f"{MARKS[self.kind]} {self.what}", *(f"    {line}" for line in self.lines)]

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"kind": self.kind.value, "what": self.what, "lines": list(self.lines)}


def count_line(changes: Sequence[Change]) -> str:
    """Return e.g. "1 to create, 0 to change, 2 to delete"."""
    return ", ".join(f"{sum(change.kind is kind for change in changes)} to {kind}" for kind in Kind)


def field_lines(wanted: dict[str, Any], stored: dict[str, Any]) -> list[str]:
    """Return what differs, field by field, of those that are wanted."""
    return [
        f"~ {name}: {_text(stored.get(name))} → {_text(value)}"
        for name, value in wanted.items()
        if not _same(value, stored.get(name))
    ]


def auth_change(
    wanted: WantedAuth | None, keys: dict[str, str] | None, stored: dict[str, Any]
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the `auth` to be sent (None: it is right already) and what differs.

    Args:
        keys: those that are wanted; None: any.
        stored: `auth` as the admin API gives it, with its keys.
    """
    if wanted is None:
        return None, []
    lines = field_lines({"auth": wanted.kind.value}, {"auth": stored.get("kind")})
    if [_normal(text) for text in stored.get("thumbprints") or ()] != [_normal(text) for text in wanted.thumbprints]:
        lines.append(f"~ thumbprints: {_text(stored.get('thumbprints'))} → {_text(list(wanted.thumbprints))}")
    if keys is not None and keys != stored.get("keys"):
        lines.append("~ keys (not shown)")
    return (auth_taken(wanted, keys), lines) if lines else (None, [])


def auth_taken(wanted: WantedAuth, keys: dict[str, str] | None) -> dict[str, Any]:
    """Return `wanted` as the admin API takes it."""
    taken: dict[str, Any] = {"kind": wanted.kind.value}
    if wanted.thumbprints:
        taken["thumbprints"] = list(wanted.thumbprints)
    if keys is not None:
        taken["keys"] = keys
    return taken


def twin_change(wanted: WantedTwin, stored: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the patch (empty: all is as wanted) and what differs; `stored` holds "tags" and "desired"."""
    patch: dict[str, Any] = {}
    lines: list[str] = []
    for section in ("tags", "desired"):
        below, told = _patch(getattr(wanted, section), stored[section], section)
        if below:
            patch[section] = below
        lines += told
    return patch, lines


def not_wanted(stored: Iterable[str], wanted: Iterable[str]) -> Iterator[str]:
    """Yield what is stored and not wanted, in order."""
    kept = set(wanted)
    return (name for name in stored if name not in kept)


def _patch(wanted: dict[str, Any], stored: dict[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    """The depth is bounded: it is that of the file."""
    patch: dict[str, Any] = {}
    lines: list[str] = []
    for key, value in wanted.items():
        here, place = stored.get(key), f"{path}.{key}"
        if isinstance(value, dict) and isinstance(here, dict):
            below, told = _patch(value, here, place)
            lines += told
            if below:
                patch[key] = below
        elif value is None:
            if key in stored:
                patch[key] = None
                lines.append(f"- {place}: {_text(here)}")
        elif key not in stored:
            patch[key] = value
            lines.append(f"+ {place}: {_text(value)}")
        elif not _same(_without_null(value), here):
            patch[key] = value
            lines.append(f"~ {place}: {_text(here)} → {_text(value)}")
    return patch, lines


def _without_null(value: Any) -> Any:
    """As a twin stores it: null means that there is nothing."""
    if not isinstance(value, dict):
        return value
    return {key: _without_null(below) for key, below in value.items() if below is not None}


def _same(one: Any, other: Any) -> bool:
    """As JSON: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _normal(thumbprint: str) -> str:
    return thumbprint.replace(":", "").replace(" ", "").lower()
