"""Whatever is put into a chunk comes out, and whatever happens to it on the disk never becomes a wrong entry."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.streams import entries, sealer

from ironhub.core.errors import CorruptStore
from ironhub.core.ids import identity
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source
from ironhub.streams.chunks import open_chunk, seal_chunk, size_of, split

names = st.text("abcXYZ019-.+%_#*?!(),:=@$'", min_size=1, max_size=20)
origins = st.builds(
    Origin,
    st.builds(identity, names, st.none() | names),
    st.sampled_from(Source),
    st.sampled_from(Encoding),
    st.text(max_size=10),
    st.text(max_size=10),
    st.text(max_size=10),
    st.text(max_size=10),
)
made_entries = st.builds(Entry, origins, st.binary(max_size=60), st.binary(max_size=300), st.integers(0, 2**31))
runs = st.lists(made_entries, min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(runs, st.integers(0, 1023), st.integers(0, 2**48), st.floats(0, 4e9))
def test_a_chunk_gives_back_what_it_was_given(run: list[Entry], partition: int, first: int, at: float) -> None:
    assert list(open_chunk(seal_chunk(partition, first, at, run, sealer()), sealer())) == run


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_to_the_stored_bytes_goes_unnoticed(data: st.DataObject) -> None:
    chunk = seal_chunk(0, 7, 1.5, entries(7, 8, 9), sealer())
    body = bytearray(chunk.body)
    place = data.draw(st.integers(0, len(body) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "zero", "insert"]))
    if kind == "flip":
        body[place] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del body[place:]
    elif kind == "insert":
        body[place:place] = data.draw(st.binary(min_size=1, max_size=8))
    else:
        body[place:] = bytes(len(body) - place)
    if bytes(body) == chunk.body:
        return
    with pytest.raises(CorruptStore):
        open_chunk(chunk._replace(body=bytes(body)), sealer())


def test_no_changed_byte_of_a_chunk_opens() -> None:
    chunk = seal_chunk(0, 7, 1.5, entries(7), sealer())
    for place in range(len(chunk.body)):
        body = bytearray(chunk.body)
        body[place] ^= 0x01
        with pytest.raises(CorruptStore):
            open_chunk(chunk._replace(body=bytes(body)), sealer())


@settings(max_examples=60, deadline=None)
@given(runs, st.integers(1, 3000))
def test_splitting_loses_nothing_and_keeps_the_bound(run: list[Entry], max_bytes: int) -> None:
    pieces = list(split(run, max_bytes))
    assert [each for piece in pieces for each in piece] == run
    assert all(len(piece) == 1 or size_of(piece) <= max_bytes for piece in pieces)
