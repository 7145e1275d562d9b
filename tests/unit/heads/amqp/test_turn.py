"""heads/amqp/turn.py"""

import asyncio

from ironhub.heads.amqp.turn import Turn


class Stage:
    """Notes what happens, in order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.turn = Turn(self.end)

    def end(self) -> None:
        self.turn.run()
        self.heard.append("end")

    def note(self, what: str) -> None:
        self.turn.add(lambda: self.heard.append(what))


async def test_many_who_ask_for_the_end_get_one() -> None:
    stage = Stage()
    stage.turn.soon()
    stage.turn.soon()
    assert stage.heard == []
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert stage.heard == ["end"]
    stage.turn.soon()
    await asyncio.sleep(0)
    assert stage.heard == ["end", "end"]


async def test_while_events_are_routed_the_end_is_not_asked_of_the_loop() -> None:
    stage = Stage()
    stage.turn.begin_reading()
    stage.turn.soon()
    stage.turn.end_reading()
    await asyncio.sleep(0)
    assert stage.heard == []


async def test_what_was_collected_is_done_once_in_order_with_what_it_adds() -> None:
    stage = Stage()
    stage.note("one")
    stage.turn.add(lambda: stage.note("three"))
    stage.note("two")
    stage.turn.run()
    stage.turn.run()
    assert stage.heard == ["one", "two", "three"]
