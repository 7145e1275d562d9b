"""How far an import of a file got, in a small file beside it, so that it can go on after whatever ended it."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from ironhub.app.cli.problems import Problem, UsageProblem

SUFFIX: Final = ".import"
_HEAD: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Progress:
    """An import that has begun."""

    name: str
    """What the hub knows it by."""
    file: str
    """What tells the file from another of its name."""
    form: str
    mode: str | None
    position: int = 0
    """Records whose outcome is written down."""
    done: int = 0
    failed: int = 0
    errors_size: int = 0
    """Bytes of the file of errors."""


class Checkpoint:
    """The file beside an import's file."""

    def __init__(self, source: Path) -> None:
        self.path = source.with_name(f"{source.name}{SUFFIX}")

    def begin(self, progress: Progress) -> Progress:
        """Start anew. Raises UsageProblem: an import was interrupted here."""
        if self.path.exists():
            raise UsageProblem(
                f"an import of this file was interrupted ({self.path})", "Go on with --resume, or delete that file."
            )
        self.save(progress)
        return progress

    def resume(self, wanted: Progress) -> Progress:
        """Return where it goes on. Raises UsageProblem: nothing was interrupted, or the file is another one."""
        try:
            stored = Progress(**json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            raise UsageProblem("no import of this file was interrupted", "Leave out --resume.") from None
        except (ValueError, TypeError):
            raise UsageProblem(f"{self.path} cannot be read", "Delete it and import anew.") from None
        if (stored.file, stored.form) != (wanted.file, wanted.form):
            raise UsageProblem("the file has changed since the import began", f"Delete {self.path} and import anew.")
        return stored if wanted.mode is None else replace(stored, mode=wanted.mode)

    def save(self, progress: Progress) -> None:
        """Write down how far it got, whole or not at all."""
        draft = self.path.with_name(f".{self.path.name}.draft")
        draft.write_text(json.dumps(asdict(progress)), encoding="ascii")
        draft.replace(self.path)

    def end(self) -> None:
        """It is over."""
        self.path.unlink(missing_ok=True)


def fingerprint(source: Path) -> str:
    """Return what tells this content from another one, without reading all of it. Raises OSError."""
    with source.open("rb") as file:
        head = hashlib.sha256(file.read(_HEAD)).hexdigest()[:32]
        found = os.fstat(file.fileno())
    return f"{found.st_size}-{found.st_mtime_ns}-{head}"


class ImportLost(Problem):
    """The hub does not remember what it had acknowledged."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "import.lost",
            "the hub knows less of this import than it had answered: it was restored from a backup, or is another one",
            f"Delete {path} and import anew with --mode create-or-update.",
        )
