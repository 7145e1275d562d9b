"""heads/admission.py"""

import asyncio

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.sessions import FakeSession

from ironhub.core.bus import CredentialsChanged
from ironhub.core.ids import Identity, identity
from ironhub.heads.admission import Admission, delay_takeover
from ironhub.identity.model import AuthenticationFailed
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.streams.inproc import InprocBus

PRESS = identity("press-7")


class Door:
    """Live sessions, and a gate whose answers are counted."""

    def __init__(self) -> None:
        self.bus = InprocBus()
        self.sessions = LiveSessions(self.bus, self, self._judge)
        self.asked = 0
        self.is_good = True
        self.changes_meanwhile = 0
        """How many more rights end while the gate is asked."""

    async def ask(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.changes_meanwhile:
            self.changes_meanwhile -= 1
            self.change()
        if not self.is_good:
            raise AuthenticationFailed("not good")
        return self.asked

    def change(self) -> None:
        """A right has ended, of whomever."""
        self.bus.publish(CredentialsChanged(identity("lathe-1"), whole_device=False))

    def came(self, who: Identity, model_id: str = "") -> None:
        """Nobody cares."""

    def went(self, who: Identity) -> None:
        """Nobody cares."""

    async def _judge(self, _: LiveSession) -> bool:
        return True


@pytest.fixture
def door() -> Door:
    return Door()


async def test_one_answer_is_enough_while_no_right_ends(door: Door) -> None:
    admission = await Admission.begin(door.sessions, door.ask)
    await admission.renew(lambda: False)
    assert (admission.found, admission.judged_at, door.asked) == (1, door.sessions.notices, 1)


async def test_it_is_asked_again_until_no_right_has_ended_meanwhile(door: Door) -> None:
    door.changes_meanwhile = 3
    admission = await Admission.begin(door.sessions, door.ask)
    assert (admission.found, admission.judged_at) == (1, 0)
    await admission.renew(lambda: False)
    assert (admission.found, admission.judged_at) == (4, door.sessions.notices)


async def test_who_has_lost_the_right_meanwhile_is_not_let_in(door: Door) -> None:
    admission = await Admission.begin(door.sessions, door.ask)
    door.is_good = False
    door.change()
    with pytest.raises(AuthenticationFailed):
        await admission.renew(lambda: False)
    with pytest.raises(AuthenticationFailed):
        await Admission.begin(door.sessions, door.ask)


async def test_the_gate_is_not_asked_about_who_is_gone(door: Door) -> None:
    admission = await Admission.begin(door.sessions, door.ask)
    door.change()
    await admission.renew(lambda: True)
    assert door.asked == 1


@pytest.mark.parametrize(("age", "waited"), [(0.2, 0.3), (0.5, 0.0), (7.0, 0.0), (None, 0.0)])
async def test_a_takeover_waits_until_what_it_takes_over_has_lived_a_moment(
    monkeypatch: pytest.MonkeyPatch, age: float | None, waited: float
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    clock, before = FakeClock(), FakeSession(PRESS)
    before.opened_at = clock.monotonic() - (age or 0.0)
    await delay_takeover(None if age is None else before, clock, 0.5)
    assert sum(waits) == pytest.approx(waited)
