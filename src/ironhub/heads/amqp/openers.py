"""Who opens a link, by the kind of address it names; an address that is not here is refused with amqp:not-found."""

from typing import Final

from ironhub.heads.amqp.cbs import OPENERS as CBS
from ironhub.heads.amqp.device.openers import OPENERS as DEVICE
from ironhub.heads.amqp.events.openers import OPENERS as EVENTS
from ironhub.heads.amqp.node import Openers
from ironhub.heads.amqp.service.openers import OPENERS as SERVICE

OPENERS: Final[dict[type, Openers]] = {**CBS, **DEVICE, **SERVICE, **EVENTS}
