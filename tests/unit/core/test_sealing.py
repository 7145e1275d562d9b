"""Encryption at rest."""

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.core.errors import CorruptStore
from ironhub.core.sealing import KEY_SIZE, MasterKey, Sealer, UnknownKey, WrappedKey

KEY = bytes(range(KEY_SIZE))
TEXT = b"the primary key of press-7"
PLACE = b"device/press-7"


def sealer(*key_ids: int) -> Sealer:
    return Sealer({key_id: bytes([key_id]) * KEY_SIZE for key_id in key_ids}, FakeEntropy())


def test_what_is_sealed_opens_in_its_place() -> None:
    sealed = sealer(1).seal(TEXT, PLACE)
    assert TEXT not in sealed
    assert sealer(1).open(sealed, PLACE) == TEXT


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    one = sealer(1)
    assert one.seal(TEXT, PLACE) != one.seal(TEXT, PLACE)


def test_an_empty_text_can_be_sealed() -> None:
    assert sealer(1).open(sealer(1).seal(b"", b""), b"") == b""


def test_a_sealed_value_does_not_open_in_another_place() -> None:
    with pytest.raises(CorruptStore, match="not where it belongs"):
        sealer(1).open(sealer(1).seal(TEXT, PLACE), b"device/press-8")


def test_no_changed_byte_opens() -> None:
    sealed = sealer(1).seal(TEXT, PLACE)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(CorruptStore):
            sealer(1).open(changed, PLACE)


def test_no_part_of_a_sealed_value_opens() -> None:
    sealed = sealer(1).seal(TEXT, PLACE)
    for length in range(len(sealed)):
        with pytest.raises(CorruptStore):
            sealer(1).open(sealed[:length], PLACE)


def test_the_newest_key_seals_and_the_old_ones_open() -> None:
    old, both = sealer(1), sealer(1, 2)
    assert both.open(old.seal(TEXT, PLACE), PLACE) == TEXT
    with pytest.raises(UnknownKey, match="key 2"):
        old.open(both.seal(TEXT, PLACE), PLACE)


def test_the_key_id_cannot_be_changed_to_another_key_s() -> None:
    sealed = sealer(1, 2).seal(TEXT, PLACE)
    with pytest.raises(CorruptStore):
        sealer(1, 2).open(sealed[:4] + b"\x01" + sealed[5:], PLACE)


def test_a_sealer_needs_a_key() -> None:
    with pytest.raises(CorruptStore, match="no data key"):
        Sealer({}, FakeEntropy())


def test_a_data_key_is_wrapped_and_comes_back() -> None:
    master = MasterKey(KEY, FakeEntropy())
    stored = master.new_data_key(7)
    key = MasterKey(KEY, FakeEntropy("other")).unwrap(stored)
    assert len(key) == KEY_SIZE
    assert key not in stored.wrapped
    assert master.unwrap(master.new_data_key(8)) != key


def test_a_wrapped_key_opens_under_its_master_key_and_its_number_only() -> None:
    stored = MasterKey(KEY, FakeEntropy()).new_data_key(7)
    with pytest.raises(CorruptStore, match=r"master\.key"):
        MasterKey(bytes(KEY_SIZE), FakeEntropy()).unwrap(stored)
    with pytest.raises(CorruptStore):
        MasterKey(KEY, FakeEntropy()).unwrap(WrappedKey(8, stored.wrapped))


@pytest.mark.parametrize("length", [0, 11, 12, 27])
def test_a_wrapped_key_that_was_cut_is_refused(length: int) -> None:
    stored = MasterKey(KEY, FakeEntropy()).new_data_key(7)
    with pytest.raises(CorruptStore):
        MasterKey(KEY, FakeEntropy()).unwrap(WrappedKey(7, stored.wrapped[:length]))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(CorruptStore, match="32 bytes"):
        MasterKey(bytes(length), FakeEntropy())
