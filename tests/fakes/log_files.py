"""Files of an event log made without an event loop, and a disk that can be told to refuse."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from tests.fakes.clock import FakeClock
from tests.fakes.streams import sealer

from ironhub.core.errors import HubError
from ironhub.messaging.telemetry.model import Entry
from ironhub.streams.embedded.file import LogFile, Work, new_work
from ironhub.streams.embedded.schema import Connect, connect, prepare
from ironhub.streams.settings import LogSettings


class Disk(sqlite3.Connection):
    """A connection whose COMMIT (or any statement) can be made to fail, before or after it took effect."""

    refusals: ClassVar[list[tuple[str, bool]]] = []
    """(first word of the statement, whether it takes effect), used up one by one."""

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Run `statement`, or fail as a disk would."""
        for refusal in self.refusals:
            word, takes_effect = refusal
            if statement.startswith(word):
                self.refusals.remove(refusal)
                if takes_effect:
                    super().execute(statement, values)
                raise sqlite3.OperationalError("disk I/O error")
        return super().execute(statement, values)


def connect_to_disk(path: Path) -> sqlite3.Connection:
    """Connect as the product does, to a disk that may refuse."""
    return connect(path, Disk)


def open_file(
    path: Path, clock: FakeClock | None = None, settings: LogSettings | None = None, connect: Connect = connect
) -> LogFile:
    """Open the writing side of the log at `path`."""
    settings = settings or LogSettings()
    return LogFile(path, sealer(), clock or FakeClock(), settings, prepare(path, settings.partitions), connect)


def work(entries: dict[int, Sequence[Entry]] | None = None, facts: Sequence[tuple[int, int, Entry]] = ()) -> Work:
    """What one commit takes, over 4 partitions."""
    made = new_work(4)
    for partition, batch in (entries or {}).items():
        made.entries[partition].extend(batch)
        made.sizes[partition] += sum(256 + len(each.body) + len(each.properties) for each in batch)
    made.facts.extend(facts)
    return made


def change(path: Path, statement: str, *values: object) -> None:
    """Change the file behind the log's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement, values)


def refusal_of(error: HubError | None) -> str:
    """The code of an error, or nothing."""
    return "" if error is None else error.code
