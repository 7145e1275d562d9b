"""Lists of encoded fields, as performatives consist of them."""

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.fields import Fields
from ironhub.wire.amqp.values import Described


def listed(*items: bytes) -> bytes:
    """A list of fields that are encoded already."""
    return encode.list_(items)


def fields(*items: bytes) -> Fields:
    """A cursor over such a list."""
    body = listed(*items)
    return Fields(body, 0, len(body))


def fields_of(performative: bytes) -> Fields:
    """A cursor over the fields of a performative that has a short descriptor."""
    return Fields(performative, 3, len(performative))


def width(performative: bytes) -> int:
    """How many fields a performative is written with."""
    value, _ = decode(performative)
    assert isinstance(value, Described)
    assert isinstance(value.value, list)
    return len(value.value)
