"""Tests of app/apply/carry.py."""

from typing import Any

import pytest

from ironhub.app.apply.carry import carry_out
from ironhub.app.apply.plan import Change, Kind, Step
from ironhub.app.cli.problems import Problem


class TellingHub:
    """Remembers what it was asked, and refuses what is named so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def send(self, method: str, *path: str, body: Any, if_match: str | None, module: str | None) -> None:
        self.asked.append((method, *path, body, if_match, module))
        if path[-1] == "bad":
            raise Problem("registry.etag_mismatch", "another etag", "Read it again.", status=412)


def change(name: str, *steps: Step) -> Change:
    return Change(Kind.CHANGE, f"device {name}", (), steps or (Step("PATCH", ("devices", name), {}, "etag"),))


async def test_changes_are_made_step_by_step_with_the_etags_that_were_read() -> None:
    hub = TellingHub()
    twin = Step("PATCH", ("twins", "b"), {"tags": {}}, None, "arm")
    await carry_out(hub, [change("a"), change("b", twin)])  # type: ignore[arg-type]  # as much of a hub as it needs
    assert hub.asked == [
        ("PATCH", "devices", "a", {}, "etag", None),
        ("PATCH", "twins", "b", {"tags": {}}, None, "arm"),
    ]


async def test_the_first_that_cannot_be_made_is_the_last() -> None:
    hub = TellingHub()
    with pytest.raises(Problem) as caught:
        await carry_out(hub, [change("a"), change("bad"), change("c")])  # type: ignore[arg-type]  # as above
    assert str(caught.value) == "device bad: another etag (1 of 3 changes were made)"
    assert (caught.value.code, caught.value.status) == ("registry.etag_mismatch", 412)
    assert [asked[2] for asked in hub.asked] == ["a", "bad"]
