"""Command lines as people type them, on a data directory that no hub runs on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ironhub.app.cli.program import run


@dataclass(frozen=True)
class Said:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer, of a command that was to answer in JSON."""
        assert self.code == 0, self.err
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that the tests of one module share; each registers devices of its own."""
    return tmp_path_factory.mktemp("hub") / "data"


@pytest.fixture
def cli(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run one command line on the shared data directory."""
    monkeypatch.delenv("IRONHUB_DATA", raising=False)

    def call(*arguments: str, at: Path | None = data) -> Said:
        place = () if at is None else ("--data", str(at))
        capsys.readouterr()
        code = run([*arguments, *place])
        told = capsys.readouterr()
        return Said(code, told.out, told.err)

    return call
