"""Logs: one line per event on stderr, as JSON for machines or coloured for people.

Protects against secrets in logs (fields that are named like one are blanked, whoever put them there, and so are keys
and signatures in what a peer wrote where something else belongs) and against log injection: what devices send cannot
begin a new line, move the cursor or fill the disk with one line.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import structlog
from structlog.typing import Processor

from ironhub.app.plain import plain

BLANK: Final = "…"
_SECRET: Final = re.compile(
    r"(?:^|_)(?:key|keys|token|secret|password|sig|signature|authorization|cookie)$", re.IGNORECASE
)
_SHOWN: Final = re.compile(r"((?:sig|SharedAccessKey|SharedAccessSignature)(?:=|%3d))[^&;,\s'\"]+", re.IGNORECASE)
MAX_TEXT: Final = 2000
"""Characters of one field."""
_NOISY: Final = ("alembic", "uvicorn", "httpx", "httpcore", "asyncio", "aiosqlite")

Event = MutableMapping[str, Any]


def configure_logs(format_name: str, level: str, *, stream: TextIO | None = None) -> None:
    """Send all logs of this process to `stream` (None: stderr).

    Args:
        format_name: "json" or "console".
        level: the least that is shown: "debug", "info", "warning" or "error".
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
            processors=[_with_origin, _without_secrets, *_rendering(format_name, colours=handler.stream.isatty())],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _rendering(format_name: str, *, colours: bool) -> list[Processor]:
    if format_name == "json":
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    plain_traceback = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return [_harmless, plain_traceback]


def _with_origin(_: Any, __: str, event: Event) -> Event:
    """When, how grave and from where come from the record itself: the instant it was made, not the one it is shown."""
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog", None)
    moment = datetime.fromtimestamp(record.created, UTC)
    exception = {"exc_info": record.exc_info} if record.exc_info else {}
    known = {"at": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z", "level": record.levelname.lower()}
    return {**known, "event": event.pop("event"), "logger": record.name, **event, **exception}


def _without_secrets(_: Any, __: str, event: Event) -> Event:
    return {name: BLANK if _SECRET.search(name) else _shown(value) for name, value in event.items()}


def _shown(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + BLANK
    return _SHOWN.sub(rf"\1{BLANK}", text)


def _harmless(_: Any, __: str, event: Event) -> Event:
    return {name: plain(value) if isinstance(value, str) else value for name, value in event.items()}
