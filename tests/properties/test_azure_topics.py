"""Nobody reaches another's topics; bags survive the way there and back, as the SDKs read them too."""

import contextlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.properties import PropertiesInvalid, decode_bag, encode_bag
from ironhub.dialects.azure.topics import (
    ForeignTopic,
    SendTelemetry,
    UnknownTopic,
    base_of,
    feeds_of,
    operation_of,
)
from ironhub.dialects.azure.username import ConnectMalformed, decode_connect

IDS = st.text("ab1-.%_#*?!(),:=@$'+", min_size=1, max_size=6)
IDENTITIES = st.builds(identity, IDS, st.none() | IDS)
LEVELS = ["devices", "a", "modules", "b", "+", "#", "", "inputs", "messages", "events", "$iothub"]
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PAIRS = st.lists(st.tuples(NAMES, st.none() | NAMES).filter(lambda pair: pair != ("", None)), max_size=8)


@settings(max_examples=150)
@given(PAIRS)
def test_a_bag_survives_and_holds_nothing_that_mqtt_or_an_sdk_would_cut(pairs: list[tuple[str, str | None]]) -> None:
    bag = encode_bag(pairs)
    assert decode_bag(bag) == decode_bag(bag.encode()) == pairs
    assert bag.isascii()
    assert not set("/#+ $?\0") & set(bag)
    assert bag.count("=") == sum(value is not None for _, value in pairs)


@settings(max_examples=150)
@given(st.binary(max_size=80) | st.text("%24.aF=&+\xff/$", max_size=60).map(str.encode))
def test_any_bytes_are_a_bag(bag: bytes) -> None:
    decoded = decode_bag(bag)
    assert decode_bag(encode_bag(decoded)) == [pair for pair in decoded if pair != ("", None)]


@settings(max_examples=200)
@given(IDENTITIES, IDENTITIES, st.text("/#+a", max_size=6))
def test_a_topic_is_its_owners_only(who: Identity, other: Identity, tail: str) -> None:
    topic = f"{base_of(other)}/messages/events/{tail}"
    own = operation_of(topic, other)
    assert isinstance(own, SendTelemetry)
    assume(who != other)
    with pytest.raises(HubError):
        operation_of(topic, who)
    with pytest.raises(HubError):
        feeds_of(f"{base_of(other)}/messages/devicebound/{tail}", who)


@settings(max_examples=200)
@given(st.text(max_size=40) | st.lists(st.sampled_from(LEVELS)).map("/".join))
def test_any_topic_is_understood_or_refused(topic: str) -> None:
    for ask in (operation_of, feeds_of):
        for who in (identity("a"), identity("a", "b")):
            with contextlib.suppress(UnknownTopic, ForeignTopic, PropertiesInvalid):
                ask(topic, who)


@settings(max_examples=200)
@given(IDENTITIES, IDENTITIES)
def test_a_username_is_good_for_its_own_client_id_only(who: Identity, other: Identity) -> None:
    username = f"hub/{other}/?api-version=2021-04-12"
    assert decode_connect(str(other), username).identity == other
    if who != other:
        with pytest.raises(ConnectMalformed):
            decode_connect(str(who), username)
