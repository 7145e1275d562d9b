from tests.fakes.amqp_engine import EngineClient, attach_receiver, attach_sender, message

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.conditions import LINK_STOLEN, NOT_FOUND
from ironhub.wire.amqp.errors import Error
from ironhub.wire.amqp.events import Attached
from ironhub.wire.amqp.fields import ABSENT
from ironhub.wire.amqp.link import SND_SETTLED, Link
from ironhub.wire.amqp.performatives import Attach, Detach
from ironhub.wire.amqp.termini import decode_source, decode_target, source, target

MISSING = Error(NOT_FOUND, "no such node")
FILTERED = encode.described(
    0x28,
    encode.list_(
        [encode.string("/q"), *[encode.null()] * 6, encode.map_([(encode.symbol("f"), encode.string("x>1"))])]
    ),
)


def attached(client: EngineClient, attach: Attach) -> Link:
    (event,) = client.say(attach)
    assert isinstance(event, Attached)
    return event.link


def test_the_answer_echoes_what_the_peer_asked_for() -> None:
    client = EngineClient.opened()
    asked = Attach("name", 7, True, SND_SETTLED, 1, decode_source(FILTERED), decode_target(target("t").raw))
    link = attached(client, asked)
    assert client.heard() == []
    link._accept(5, encode.map_([(encode.symbol("k"), encode.int_(1))]))
    answer = client.hear(Attach)
    assert (answer.name, answer.role) == ("name", False)
    assert (answer.snd_settle_mode, answer.rcv_settle_mode) == (SND_SETTLED, 1)
    assert answer.source is not None
    assert answer.source.raw == FILTERED
    assert answer.target is not None
    assert answer.target.raw == target("t").raw
    assert (answer.initial_delivery_count, answer.max_message_size) == (0, 5)
    assert answer.properties_map() == {"k": 1}


def test_a_link_says_what_the_peer_wants() -> None:
    client = EngineClient.opened()
    asked = Attach(
        "name",
        7,
        True,
        source=decode_source(FILTERED),
        target=target("t"),
        max_message_size=99,
        desired_capabilities=["fast"],
        properties=encode.map_([(encode.symbol("k"), encode.int_(1))]),
    )
    link = attached(client, asked)
    assert (link.name, link.source_address, link.target_address) == ("name", "/q", "t")
    assert link.source_filter == {"f": "x>1"}
    assert (link.properties, link.desired_capabilities) == ({"k": 1}, ["fast"])
    assert (link.peer_max_message, link.session_channel, link.app) == (99, 0, None)
    assert repr(link) == "OutgoingLink('name', '/q' -> 't')"


def test_a_terminus_the_peer_left_out_gets_a_dummy_since_none_is_a_refusal() -> None:
    client = EngineClient.opened()
    client.sender(0)
    link = attached(client, Attach("bare", 1, False, initial_delivery_count=0))
    assert (link.source_address, link.target_address, link.source_filter) == (None, None, {})
    link._accept(0, encode.null())
    answer = client.hear(Attach)
    assert answer.source is not None
    assert answer.target is not None
    assert (answer.source.address, answer.initial_delivery_count) == (None, ABSENT)


def test_a_refusal_is_an_attach_that_leads_nowhere_and_a_detach_that_says_why() -> None:
    client = EngineClient.opened()
    link = attached(client, attach_sender("a", 4))
    link.refuse(MISSING)
    attach, detach = client.heard()
    assert isinstance(attach, Attach)
    assert (attach.name, attach.role, attach.source, attach.target) == ("a", True, None, None)
    assert isinstance(detach, Detach)
    assert (detach.handle, detach.closed, detach.error) == (attach.handle, True, MISSING)
    assert link.detached
    assert not link.accepted


def test_a_detach_of_ours_gives_no_event_and_the_peers_answer_none_either() -> None:
    client = EngineClient.opened()
    link = client.sender(3)
    link.detach(Error(LINK_STOLEN, "a newer one"), closed=False)
    detach = client.hear(Detach)
    assert (detach.closed, detach.error) == (False, Error(LINK_STOLEN, "a newer one"))
    assert client.say(message(0, b"late", handle=3)) == []
    assert client.say(Detach(3, True)) == []
    assert client.heard() == []


def test_whatever_is_asked_of_a_link_that_is_over_does_nothing() -> None:
    client = EngineClient.opened()
    sender, receiver = client.sender(0), client.receiver(1)
    client.say(Detach(0, True), Detach(1, True))
    client.heard()
    for link in (sender, receiver):
        link.refuse(MISSING)
        link.detach(MISSING)
    sender.accept(5)
    sender.grant(5)
    sender.settle(0, 1, 0x24)
    receiver.accept()
    receiver.drained()
    assert receiver.send(b"x", b"t", True) == -1
    receiver.send_settled([b"x"])
    assert (sender.credit, receiver.credit, receiver.sendable) == (0, 0, 0)
    assert client.heard() == []


def test_who_detaches_before_the_answer_gets_a_whole_one() -> None:
    client = EngineClient.opened()
    link = attached(client, attach_receiver("a", 4))
    client.say(Detach(4, True))
    attach, detach = client.heard()
    assert isinstance(attach, Attach)
    assert attach.source is None
    assert isinstance(detach, Detach)
    link._accept(0, encode.null())
    assert client.heard() == []


def test_an_acceptance_is_said_once() -> None:
    client = EngineClient.opened()
    link = attached(client, attach_receiver("a", 4))
    assert link._accept(0, encode.null())
    assert not link._accept(0, encode.null())
    assert client.hear(Attach).name == "a"


def test_our_handles_are_our_own_and_used_again() -> None:
    client = EngineClient.opened()
    assert source(None).address is None
    first, second = client.sender(40), client.sender(30)
    assert (first.handle, second.handle) == (0, 1)
    client.say(Detach(40, True))
    assert client.sender(20).handle == 0
    assert client.sender(10).handle == 2
