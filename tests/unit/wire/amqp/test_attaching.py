import pytest
from tests.fakes.amqp_values import fields, fields_of, width

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.attaching import Attach, Detach, decode_attach, decode_detach
from ironhub.wire.amqp.conditions import NOT_FOUND
from ironhub.wire.amqp.errors import Error, MalformedValue
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.termini import Terminus, source, target

NULL = encode.NULL
BAG = encode.map_([(encode.symbol("product"), encode.string("p"))])
NAME, HANDLE = encode.string("n"), encode.uint(1)


@pytest.mark.parametrize(
    "said",
    [
        Attach("n", 0, True),
        Attach("n", 7, False, 0, 1, source("s"), target("t"), initial_delivery_count=0, max_message_size=1 << 40),
        Attach("n", 7, True, offered_capabilities=["a"], desired_capabilities=["b"], properties=BAG),
    ],
)
def test_an_attach_is_written_full_width_and_read_back(said: Attach) -> None:
    body = said.encode()
    assert width(body) == 14
    assert decode_attach(fields_of(body)).encode() == body


def test_an_attach_may_leave_out_most() -> None:
    found = decode_attach(fields(NAME, HANDLE, encode.TRUE))
    assert (found.name, found.handle, found.role, found.snd_settle_mode, found.rcv_settle_mode) == ("n", 1, True, 2, 0)
    assert (found.source, found.target, found.initial_delivery_count, found.max_message_size) == (None, None, ABSENT, 0)
    assert found.properties_map() == {}


def test_an_attach_sends_source_and_target_back_as_they_came() -> None:
    odd = b"\x00\x80\x00\x00\x00\x00\x00\x00\x00\x28\xd0\x00\x00\x00\x07\x00\x00\x00\x01\xa1\x01a"
    found = decode_attach(fields(NAME, HANDLE, encode.TRUE, NULL, NULL, odd, NULL))
    assert isinstance(found.source, Terminus)
    assert found.source.address == "a"
    assert odd in found.encode()


@pytest.mark.parametrize("said", [Detach(7), Detach(7, True, Error(NOT_FOUND, "why"))])
def test_a_detach_is_written_full_width_and_read_back(said: Detach) -> None:
    body = said.encode()
    found = decode_detach(fields_of(body))
    assert width(body) == 3
    assert (found.handle, found.closed, found.error) == (said.handle, said.closed, said.error)


@pytest.mark.parametrize(
    "items",
    [
        (NAME, HANDLE),
        (NAME, HANDLE, NULL),
        (NAME, NULL, encode.TRUE),
        (NAME, HANDLE, encode.FALSE),
        (NAME, HANDLE, encode.TRUE, encode.ubyte(3)),
        (NAME, HANDLE, encode.TRUE, NULL, encode.ubyte(2)),
        (NAME, HANDLE, encode.TRUE, NULL, NULL, encode.string("a")),
    ],
)
def test_what_is_no_attach_is_refused(items: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedValue):
        decode_attach(fields(*items))


@pytest.mark.parametrize("items", [(), (HANDLE, encode.TRUE, encode.string("why"))])
def test_what_is_no_detach_is_refused(items: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedValue):
        decode_detach(fields(*items))
