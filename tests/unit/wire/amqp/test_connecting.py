import pytest
from tests.fakes.amqp_values import fields, fields_of, width

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import NOT_FOUND
from ironhub.wire.amqp.connecting import Begin, Close, End, Open, decode_begin, decode_open
from ironhub.wire.amqp.errors import Error, MalformedValue
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.outcomes import decode_error

NULL = encode.NULL
BAG = encode.map_([(encode.symbol("product"), encode.string("p"))])
TALKATIVE = Open("c", "h", 512, 7, 240_000, offered_capabilities=["a"], desired_capabilities=["b", "c"], properties=BAG)


@pytest.mark.parametrize("said", [Open("c"), TALKATIVE])
def test_an_open_is_written_full_width_and_read_back(said: Open) -> None:
    body = said.encode()
    assert width(body) == 10
    assert decode_open(fields_of(body)).encode() == body


@pytest.mark.parametrize("said", [Begin(ABSENT, 0, 5000, 5000), Begin(3, 1, 2, 3, 255, properties=BAG)])
def test_a_begin_is_written_full_width_and_read_back(said: Begin) -> None:
    body = said.encode()
    assert width(body) == 8
    assert decode_begin(fields_of(body)).encode() == body


@pytest.mark.parametrize("said", [End(), End(Error(NOT_FOUND)), Close(), Close(Error(NOT_FOUND, "x" * 300))])
def test_an_end_tells_its_error_or_null(said: End | Close) -> None:
    body = said.encode()
    assert width(body) == 1
    assert decode_error(fields_of(body).raw()) == said.error


def test_an_open_may_leave_out_all_but_its_name() -> None:
    found = decode_open(fields(encode.string("c")))
    assert (found.container_id, found.hostname, found.idle_time_out) == ("c", None, 0)
    assert (found.max_frame_size, found.channel_max) == (0xFFFF_FFFF, 65_535)
    assert (found.offered_capabilities, found.desired_capabilities, found.properties_map()) == ([], [], {})


def test_an_open_tells_all_it_says() -> None:
    found = decode_open(fields_of(TALKATIVE.encode()))
    assert (found.hostname, found.max_frame_size, found.channel_max, found.idle_time_out) == ("h", 512, 7, 240_000)
    assert (found.offered_capabilities, found.desired_capabilities) == (["a"], ["b", "c"])
    assert found.properties_map() == {"product": "p"}


def test_a_begin_from_the_one_who_begins_names_no_channel() -> None:
    found = decode_begin(fields(NULL, encode.uint(1), encode.uint(2), encode.uint(3)))
    assert (found.remote_channel, found.next_outgoing_id, found.incoming_window) == (ABSENT, 1, 2)
    assert (found.outgoing_window, found.handle_max, found.properties) == (3, 0xFFFF_FFFF, NULL)


@pytest.mark.parametrize(
    "items",
    [
        (),
        (NULL,),
        (encode.uint(1),),
        (encode.string("c"), *[NULL] * 8, encode.uint(1)),
        (encode.string("c"), NULL, encode.ulong(5)),
    ],
)
def test_what_is_no_open_is_refused(items: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedValue):
        decode_open(fields(*items))


@pytest.mark.parametrize(
    "items", [(NULL, NULL, encode.uint(1), encode.uint(1)), (encode.uint(1), *[encode.uint(1)] * 3)]
)
def test_what_is_no_begin_is_refused(items: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedValue):
        decode_begin(fields(*items))
