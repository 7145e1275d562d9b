import pytest

from ironhub.wire.amqp.frames import AMQP_FRAME, FrameBuffer
from ironhub.wire.amqp.performatives import Transfer, decode_performative
from ironhub.wire.amqp.writer import TransferWriter


def written(channel: int, handle: int, tag: bytes, payload: bytes, *, settled: bool, more: bool, form: int) -> Transfer:
    """What a peer reads."""
    writer = TransferWriter(channel, handle)
    writer.shape(len(tag), form)
    out = bytearray()
    writer.write(out, 0xFFFF_FFFE, tag, payload, settled, more)
    assert len(out) == writer.overhead + len(payload)
    assert out[8:11] == b"\x00\x53\x14"
    assert out[13] == 11  # fields, all of them
    frames = FrameBuffer(1 << 20)
    frames.feed(bytes(out))
    found = frames.take()
    assert found is not None
    assert found[:2] == (AMQP_FRAME, channel)
    transfer = decode_performative(found[2])
    assert isinstance(transfer, Transfer)
    return transfer


@pytest.mark.parametrize("handle", [0, 1, 300])
@pytest.mark.parametrize("tag", [b"", b"t", b"x" * 32])
@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("form", [0, 7, 0x8001_3700])
def test_what_is_written_is_read_as_it_was_meant(handle: int, tag: bytes, settled: bool, more: bool, form: int) -> None:
    transfer = written(258, handle, tag, b"payload", settled=settled, more=more, form=form)
    assert transfer.handle == handle
    assert transfer.delivery_id == 0xFFFF_FFFE
    assert transfer.delivery_tag == tag
    assert transfer.message_format == form
    assert transfer.settled is settled
    assert transfer.more is more
    assert transfer.payload == b"payload"
    assert (transfer.state, transfer.aborted) == (None, False)


def test_another_shape_is_taken_up_at_once() -> None:
    writer = TransferWriter(0, 0)
    for tag, form in ((b"a", 0), (b"bb", 0), (b"bb", 5), (b"bb", 5)):
        writer.shape(len(tag), form)
        out = bytearray()
        writer.write(out, 1, tag, b"", True)
        transfer = decode_performative(bytes(out[8:]))
        assert isinstance(transfer, Transfer)
        assert (transfer.delivery_tag, transfer.message_format) == (tag, form)
