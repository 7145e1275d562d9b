"""heads/amqp/outstanding.py"""

from uuid import UUID

import pytest
from tests.fakes.amqp_engine import EngineClient
from tests.fakes.clock import FakeClock

from ironhub.heads.amqp.outstanding import Outstanding
from ironhub.wire.amqp import SND_MIXED, SND_SETTLED, OutgoingLink
from ironhub.wire.amqp.performatives import Disposition, Transfer

TOKENS = [str(UUID(int=number)) for number in range(1, 10)]
TAGS = [UUID(token).bytes for token in TOKENS]
LOCK = 60.0


class Stage:
    """A link with credit, and what is out on it."""

    def __init__(self, *, credit: int = 100, window: int = 3, max_unsettled: int = 5, snd: int = SND_MIXED) -> None:
        self.clock = FakeClock()
        self.client = EngineClient.opened()
        self.link: OutgoingLink = self.client.receiver(credit=credit, snd=snd)
        self.out = Outstanding(self.link, self.clock, window=window, max_unsettled=max_unsettled)

    def send(self, *tokens: str) -> list[bool]:
        return [self.out.send(b"payload", token, self.clock.now() + LOCK) for token in tokens]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_entry_goes_out_with_its_lock_token_as_its_tag(stage: Stage) -> None:
    assert stage.send(TOKENS[0]) == [False]
    sent = stage.client.hear(Transfer)
    assert (sent.delivery_tag, sent.settled, sent.payload) == (TAGS[0], False, b"payload")
    assert stage.out.take(TAGS[0]) == TOKENS[0]


def test_a_decision_counts_once_and_only_about_what_is_out(stage: Stage) -> None:
    stage.send(TOKENS[0])
    assert [stage.out.take(tag) for tag in (TAGS[1], TAGS[0], TAGS[0])] == [None, TOKENS[0], None]


def test_a_peer_that_settles_nothing_has_its_entry_with_the_sending() -> None:
    stage = Stage(snd=SND_SETTLED)
    assert stage.send(TOKENS[0]) == [True]
    assert stage.client.hear(Transfer).settled
    assert (stage.out.room(), stage.out.take(TAGS[0])) == (3, None)


def test_credit_and_the_window_bound_what_may_go_out(stage: Stage) -> None:
    assert (stage.out.room(), Stage(credit=2).out.room(), Stage(credit=0).out.room()) == (3, 2, 0)
    stage.send(*TOKENS[:3])
    assert stage.out.room() == 0
    stage.out.take(TAGS[0])
    assert stage.out.room() == 1


def test_what_is_locked_no_more_makes_room_and_counts_no_more(stage: Stage) -> None:
    stage.send(*TOKENS[:3])
    stage.clock.advance(LOCK - 1)
    assert stage.out.room() == 0
    stage.clock.advance(1.0)
    assert stage.out.room() == 2  # five deliveries may be left without a disposition, and three are
    assert [stage.out.take(tag) for tag in TAGS[:3]] == [None] * 3


def test_a_peer_that_never_settles_gets_no_more_in_the_end(stage: Stage) -> None:
    for tokens in (TOKENS[:3], TOKENS[3:5]):
        stage.send(*tokens)
        stage.clock.advance(LOCK)
    assert stage.out.room() == 0
    stage.client.say(Disposition(True, 0, 1, True))
    assert stage.out.room() == 2


def test_the_end_of_the_link_gives_all_back_once(stage: Stage) -> None:
    stage.send(*TOKENS[:2])
    assert stage.out.take_all() == TOKENS[:2]
    assert stage.out.take_all() == []
