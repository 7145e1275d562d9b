"""heads/amqp/device/pairs.py"""

from ironhub.heads.amqp.device.pairs import MAX_KEY, Pairs, key_of

CORRELATION = "com.microsoft:channel-correlation-id"


def test_a_link_finds_the_other_of_its_pair() -> None:
    pairs: Pairs[str] = Pairs()
    pairs.add("twin:1", "first")
    pairs.add("twin:2", "second")
    assert (pairs.of("twin:1"), pairs.of("twin:2")) == ("first", "second")
    assert (len(pairs), list(pairs)) == (2, ["first", "second"])


def test_a_link_that_names_a_pair_waits_for_the_other_of_it() -> None:
    pairs: Pairs[str] = Pairs()
    pairs.add("twin:2", "another's")
    assert pairs.of("twin:1") is None


def test_a_link_that_names_no_pair_belongs_to_any() -> None:
    pairs: Pairs[str] = Pairs()
    found = [pairs.of(""), pairs.newest]
    assert found == [None, None]
    pairs.add("twin:2", "old")
    pairs.add("twin:3", "new")
    assert pairs.of("") == pairs.newest == "new"
    pairs.add("", "nobody's")
    assert pairs.of("") == pairs.of("twin:1") == "nobody's"
    assert pairs.of("twin:2") == "old"


def test_a_newer_link_of_the_same_pair_takes_the_place_of_the_older() -> None:
    pairs: Pairs[str] = Pairs()
    assert pairs.add("k", "old") is None
    assert pairs.add("k", "new") == "old"
    pairs.drop("k", "old")
    assert pairs.of("k") == "new"
    pairs.drop("k", "new")
    assert len(pairs) == 0


def test_what_pairs_links_is_a_text_of_reasonable_length() -> None:
    assert key_of({CORRELATION: "methods:1"}) == "methods:1"
    assert key_of({}) == key_of({CORRELATION: 7}) == key_of({CORRELATION: "x" * (MAX_KEY + 1)}) == ""
