import pytest
from tests.fakes.amqp_values import fields_of

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.bodies import (
    check_end,
    encode_performative,
    map_field,
    optional_symbols,
    optional_text,
    optional_uint,
)
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.values import Described

NULL = encode.NULL


@pytest.mark.parametrize(("size", "code"), [(254, 0xC0), (255, 0xD0)])
def test_a_performative_is_a_list_as_short_as_it_can_be(size: int, code: int) -> None:
    body = encode_performative(0x10, size, NULL * size)
    assert body[3] == code
    assert decode(body) == (Described(0x10, [None] * size), len(body))


def test_what_is_absent_is_null() -> None:
    assert (optional_uint(ABSENT), optional_text(None), optional_symbols([])) == (NULL, NULL, NULL)
    assert optional_uint(0) == encode.uint(0)
    assert optional_text("") == encode.string("")
    assert optional_symbols(["a"]) == encode.symbols(["a"])


def test_a_map_is_kept_as_it_is_encoded() -> None:
    bag = encode.map_([(encode.symbol("product"), encode.string("p"))])
    assert map_field(fields_of(encode_performative(0x10, 1, bag))) == bag
    with pytest.raises(MalformedValue):
        map_field(fields_of(encode_performative(0x10, 1, encode.uint(1))))


def test_nothing_follows_the_last_field() -> None:
    body = encode_performative(0x18, 1, NULL)
    fields = fields_of(body)
    fields.raw()
    check_end(body, fields)
    with pytest.raises(MalformedValue):
        check_end(body, fields_of(body))
    longer = body + b"payload"
    fields = fields_of(longer)
    fields.raw()
    with pytest.raises(MalformedValue):
        check_end(longer, fields)
