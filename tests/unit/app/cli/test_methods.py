"""Tests of app/cli/methods.py."""

from typing import Any

from tests.unit.app.cli.conftest import Cli

from ironhub.app.cli import methods


def test_a_device_that_is_away_does_not_answer(cli: Cli) -> None:
    cli("device", "create", "a")
    said = cli("method", "invoke", "a", "reboot", "--payload", '{"delay": 3}')
    assert said.code == 1
    assert said.err.startswith("error: method.device_not_online:")


def test_a_payload_is_json(cli: Cli) -> None:
    assert cli("method", "invoke", "a", "reboot", "--payload", "{").code == 2


class AnsweringHub:
    """Answers like the admin API of a hub whose device is there, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def send(self, method: str, *path: str, body: dict[str, Any], module: str | None) -> Any:
        self.asked.append({"method": method, "path": path, "body": body, "module": module})
        return {"status": 207, "payload": {"said": "\x1b[2J"}}


async def test_what_the_device_answers_is_shown_harmlessly() -> None:
    hub = AnsweringHub()
    answer = await methods.invoke(hub, None, "a", "reboot", payload="3", module="m", connect_timeout=9.0)  # type: ignore[arg-type]
    assert answer.text == 'status 207\n{"said": "\\u001b[2J"}'
    assert hub.asked == [
        {
            "method": "POST",
            "path": ("devices", "a", "methods"),
            "body": {"name": "reboot", "payload": 3, "response_timeout": 30.0, "connect_timeout": 9.0},
            "module": "m",
        }
    ]
