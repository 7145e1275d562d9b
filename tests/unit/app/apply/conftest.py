"""Command lines on a data directory of a test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.app.cli.conftest import Said

from ironhub.app.cli.program import run

Cli = Callable[..., Said]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run one command line on an empty hub."""
    monkeypatch.delenv("IRONHUB_DATA", raising=False)

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = run([*arguments, "--data", str(tmp_path / "data")])
        told = capsys.readouterr()
        return Said(code, told.out, told.err)

    return call
