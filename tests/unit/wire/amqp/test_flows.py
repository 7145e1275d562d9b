import pytest
from tests.fakes.amqp_values import listed, width

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.flows import Flow, decode_flow

NULL = encode.NULL


@pytest.mark.parametrize(
    "flow",
    [
        Flow(ABSENT, 0, 0, 0),
        Flow(1, 2, 3, 4, 5, 6, 0xFFFF_FFFF, 8, True, True, encode.map_([(encode.symbol("a"), NULL)])),
    ],
    ids=repr,
)
def test_a_flow_is_written_full_width_and_read_back(flow: Flow) -> None:
    body = flow.encode()
    found = decode_flow(body, 3)
    assert repr(found) == repr(flow)
    assert (found.available, found.properties) == (flow.available, flow.properties)
    assert width(body) == 11


def test_a_flow_of_a_session_speaks_of_no_link() -> None:
    found = decode_flow(listed(NULL, *[encode.uint(1)] * 3), 0)
    assert (found.next_incoming_id, found.handle, found.link_credit, found.drain) == (ABSENT, ABSENT, ABSENT, False)


@pytest.mark.parametrize(
    "body",
    [
        b"\x45",
        listed(NULL, encode.uint(1), encode.uint(1)),
        listed(NULL, NULL, encode.uint(1), encode.uint(1)),
        listed(NULL, *[encode.uint(1)] * 3) + b"payload",
        listed(NULL, *[encode.uint(1)] * 3, *[NULL] * 6, encode.uint(1)),
        listed(NULL, *[encode.uint(1)] * 3, *[NULL] * 8),
    ],
)
def test_what_is_no_flow_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_flow(body, 0)


def test_what_is_not_said_when_one_is_made_is_false() -> None:
    assert (Flow(0, 0, 0, 0).drain, Flow(0, 0, 0, 0).echo) == (False, False)
