"""Who opens the links of this package."""

from typing import Final

from ironhub.heads.amqp.node import Openers

OPENERS: Final[dict[type, Openers]] = {}
