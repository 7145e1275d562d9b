"""The performatives (part 2, 2.7): what frames of connections, sessions and links say, and which one a frame carries.

Each is written with all its fields, the absent ones as null: some clients read them by position without looking how
many there are.
"""

from typing import Final, TypeAlias

from ironhub.wire.amqp.attaching import ATTACH, DETACH, Attach, Detach, decode_attach, decode_detach
from ironhub.wire.amqp.bodies import check_end
from ironhub.wire.amqp.conditions import NOT_IMPLEMENTED
from ironhub.wire.amqp.connecting import BEGIN, CLOSE, END, OPEN, Begin, Close, End, Open, decode_begin, decode_open
from ironhub.wire.amqp.errors import ProtocolViolation
from ironhub.wire.amqp.fields import ABSENT, Fields, descriptor_at
from ironhub.wire.amqp.flows import FLOW, Flow, decode_flow
from ironhub.wire.amqp.outcomes import decode_error
from ironhub.wire.amqp.transfers import (
    DISPOSITION,
    TRANSFER,
    Disposition,
    Transfer,
    decode_disposition,
    decode_transfer,
)

__all__ = [
    "ABSENT",
    "Attach",
    "Begin",
    "Close",
    "Detach",
    "Disposition",
    "End",
    "Flow",
    "Open",
    "Performative",
    "Transfer",
    "decode_performative",
]

_NAMES: Final = {
    "amqp:open:list": OPEN,
    "amqp:begin:list": BEGIN,
    "amqp:attach:list": ATTACH,
    "amqp:flow:list": FLOW,
    "amqp:transfer:list": TRANSFER,
    "amqp:disposition:list": DISPOSITION,
    "amqp:detach:list": DETACH,
    "amqp:end:list": END,
    "amqp:close:list": CLOSE,
}

Performative: TypeAlias = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close


def decode_performative(body: bytes) -> Performative:
    """The performative that an AMQP frame's body, not an empty one, carries.

    Raises:
        ProtocolViolation: it is none, or not as the standard has it; most often as MalformedValue.
    """
    if len(body) > 3 and body[0] == 0 and body[1] == 0x53:
        code = body[2]
        at = 3
    else:
        code, name, at = descriptor_at(body, 0, len(body))
        code = _NAMES.get(name, code)
    if code == TRANSFER:
        return decode_transfer(body, at)
    if code == DISPOSITION:
        return decode_disposition(body, at)
    if code == FLOW:
        return decode_flow(body, at)
    return _decode_rare(code, body, at)


def _decode_rare(code: int, body: bytes, at: int) -> Performative:
    fields = Fields(body, at, len(body))
    found: Performative
    if code == ATTACH:
        found = decode_attach(fields)
    elif code == DETACH:
        found = decode_detach(fields)
    elif code == BEGIN:
        found = decode_begin(fields)
    elif code == END:
        found = End(decode_error(fields.raw()))
    elif code == OPEN:
        found = decode_open(fields)
    elif code == CLOSE:
        found = Close(decode_error(fields.raw()))
    else:
        raise ProtocolViolation(NOT_IMPLEMENTED, "a frame carries no performative that there is")
    check_end(body, fields)
    return found
