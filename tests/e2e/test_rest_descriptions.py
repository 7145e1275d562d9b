"""Both REST APIs do what their OpenAPI documents say: schemathesis calls everything, in any order, with any values.

What is checked of every answer: no error of ours (5xx), a documented status, media type and body; nothing is answered
without the credential; what was deleted is gone.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.conftest import StartHub
from tests.fakes.bystander import Bystander, Watch
from tests.fakes.raw_device import policy_token, token_for
from tests.fakes.running_hub import RunningHub, hub_environment

from ironhub.app.datadir import DataDirectory

DOCUMENTS: Final = Path(__file__).parents[2] / "docs" / "reference"
FULL: Final = bool(os.environ.get("IRONHUB_FULL"))
BOUNDS: Final = ("--max-examples", "50" if FULL else "3", "--max-time", "300" if FULL else "12")
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "unsupported_method",
    "use_after_free",
    "ensure_resource_availability",
)
CASES: Final = re.compile(r"(\d+) generated")


class Fuzzer:
    """Runs schemathesis in a process of its own: its plugin has no business in our tests."""

    def __init__(self, hub: RunningHub, place: Path) -> None:
        self._hub = hub
        self._place = place

    def run(self, document: str, url: str, authorization: str, *more: str, settings: str = "") -> int:
        """Call everything that `document` describes and return how often. Raises AssertionError with what was found."""
        (self._place / "schemathesis.toml").write_text(settings)
        said = subprocess.run(
            self._command(DOCUMENTS / document, url, authorization, more),
            cwd=self._place,
            env=hub_environment(),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert said.returncode == 0, said.stdout[-20_000:] + said.stderr[-2_000:]
        counted = CASES.search(said.stdout)
        assert counted, said.stdout[-2_000:]
        return int(counted[1])

    def _command(self, document: Path, url: str, authorization: str, more: Sequence[str]) -> list[str]:
        program = str(Path(sys.executable).parent / "schemathesis")
        trust = ("--tls-verify", str(self._hub.ca_path), "--header", f"Authorization: {authorization}")
        manner = ("--generation-deterministic", "--no-shrink", "--no-color", "--continue-on-failure")
        ours = ("--generation-with-security-parameters", "false", "--request-timeout", "20")
        checks = ("--checks", ",".join(CHECKS))
        return [program, "run", str(document), "--url", url, *trust, *manner, *ours, *checks, *BOUNDS, *more]


@pytest.fixture
def hub(start_hub: StartHub) -> RunningHub:
    """A hub of the test's own: what schemathesis finds there, it also deletes."""
    return start_hub()


@pytest.fixture
def fuzzer(hub: RunningHub, tmp_path: Path) -> Fuzzer:
    return Fuzzer(hub, tmp_path)


def check_unharmed(hub: RunningHub) -> None:
    """The hub serves devices as before, and logged no error of its own."""
    assert hub.alive
    late = Bystander(hub, "latecomer")
    late.check()
    late.close()
    Watch(hub).check_log()


def test_the_admin_api_does_what_it_says(hub: RunningHub, fuzzer: Fuzzer) -> None:
    token = DataDirectory(hub.data).admin_token()
    url = f"https://127.0.0.1:{hub.ready['admin']}"
    # It follows the log for ever unless told otherwise; and it would take away the right to look on.
    left_out = ("--exclude-operation-id", "stream_events", "--exclude-operation-id", "put_policy")
    settings = '[[operations]]\ninclude-operation-id = "roll_policy"\nparameters = { "path.name" = "service" }\n'
    assert fuzzer.run("admin-api.json", url, f"Bearer {token}", *left_out, settings=settings) > 300
    check_unharmed(hub)


def test_the_vendors_service_calls_do_what_is_said_of_them(hub: RunningHub, fuzzer: Fuzzer) -> None:
    url = f"https://{hub.address}:{hub.ready['https']}"
    doors = ("--include-tag", "service", "--include-tag", "service or module")
    assert fuzzer.run("azure-rest.json", url, policy_token(hub, "iothubowner"), *doors) > 300
    check_unharmed(hub)


def test_the_vendors_device_calls_do_what_is_said_of_them(hub: RunningHub, fuzzer: Fuzzer) -> None:
    url = f"https://{hub.address}:{hub.ready['https']}"
    device = hub.create_device("press-7")
    settings = '[parameters]\n"path.device" = "press-7"\n'
    door = ("--include-tag", "device", "--exclude-path-regex", "modules", "--phases", "examples,coverage,fuzzing")
    assert fuzzer.run("azure-rest.json", url, token_for(hub, device), *door, settings=settings) > 50
    check_unharmed(hub)
