"""How JSON and keys stand in a row."""

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.core.errors import CorruptStore
from ironhub.core.ids import identity
from ironhub.core.sealing import Sealer
from ironhub.identity.model import SymmetricKeys
from ironhub.storage.sqlite.rows import identity_context, json_object, json_text, open_keys, reading, seal_keys

SEALER = Sealer({1: b"k" * 32}, FakeEntropy())


@pytest.mark.parametrize("keys", [SymmetricKeys(b"a" * 16, b"b" * 64), SymmetricKeys(b"a" * 64, b"b" * 16)])
def test_keys_open_where_they_were_sealed(keys: SymmetricKeys) -> None:
    sealed = seal_keys(SEALER, keys, b"here")
    assert keys.primary not in sealed
    assert open_keys(SEALER, sealed, b"here") == keys
    with pytest.raises(CorruptStore):
        open_keys(SEALER, sealed, b"there")


def test_no_two_identities_share_a_context() -> None:
    contexts = [identity_context(identity(*ids)) for ids in (("a",), ("a", "b"), ("b", "a"), ("ab",))]
    assert len(set(contexts)) == 4


def test_json_comes_back_as_it_was() -> None:
    value = {"Ä": [1, 1.0, 2**80, True, None, {"": "\u2028"}]}
    assert json_object(json_text(value)) == value


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null"])
def test_what_is_no_object_is_a_damaged_row(text: str) -> None:
    with pytest.raises(CorruptStore, match="the row"), reading("the row"):
        json_object(text)


def test_an_empty_object_is_a_new_one_each_time() -> None:
    assert json_object("{}") == {}
    assert json_object("{}") is not json_object("{}")


def test_what_is_no_fault_of_the_row_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), reading("the row"):
        raise ZeroDivisionError
    with reading("the row"):
        pass
