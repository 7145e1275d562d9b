"""Tests of twins/queries/continuation.py."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.core.sealing import KEY_SIZE, Sealer
from ironhub.twins.queries.continuation import LIFETIME, MAX_TOKEN, Continuations, Place
from ironhub.twins.queries.model import Constant, ContinuationInvalid, Query, Source

QUERY = Query(Source.DEVICES, top=5)
PLACE = Place("press-7/", 3)
NOW = 1000.0


@pytest.fixture
def tokens() -> Continuations:
    return Continuations(Sealer({1: b"k" * KEY_SIZE}, FakeEntropy()))


def test_a_token_says_where_its_query_goes_on(tokens: Continuations) -> None:
    token = tokens.seal(PLACE, QUERY, "policy service", now=NOW)
    assert tokens.open(token, QUERY, "policy service", now=NOW + LIFETIME) == PLACE
    assert "press" not in token


def test_a_token_is_for_its_query_and_its_caller_and_ends(tokens: Continuations) -> None:
    token = tokens.seal(PLACE, QUERY, "policy service", now=NOW)
    for query, caller, now in (
        (replace(QUERY, top=6), "policy service", NOW),
        (replace(QUERY, condition=Constant(False)), "policy service", NOW),
        (QUERY, "policy other", NOW),
        (QUERY, "policy service", NOW + LIFETIME + 1),
    ):
        with pytest.raises(ContinuationInvalid):
            tokens.open(token, query, caller, now=now)


def test_a_token_that_was_changed_in_any_byte_does_not_open(tokens: Continuations) -> None:
    sealed = urlsafe_b64decode(tokens.seal(PLACE, QUERY, "c", now=NOW))
    for position in range(len(sealed)):
        forged = bytearray(sealed)
        forged[position] ^= 1
        with pytest.raises(ContinuationInvalid):
            tokens.open(urlsafe_b64encode(forged).decode(), QUERY, "c", now=NOW)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "ä", "%00", '["press-7/", 0, 1e9]', "A" * (MAX_TOKEN + 4), "\x00"])
def test_what_is_no_token_is_refused(tokens: Continuations, text: str) -> None:
    with pytest.raises(ContinuationInvalid, match="is none for this query, or is too old"):
        tokens.open(text, QUERY, "c", now=NOW)


def test_another_hubs_token_does_not_open(tokens: Continuations) -> None:
    other = Continuations(Sealer({1: b"o" * KEY_SIZE}, FakeEntropy()))
    with pytest.raises(ContinuationInvalid):
        tokens.open(other.seal(PLACE, QUERY, "c", now=NOW), QUERY, "c", now=NOW)
