"""Where in a partition a reader begins."""

from typing import Final

from ironhub.access.model import Grant
from ironhub.dialects.azure.amqp_filters import Earliest, FromOffset, FromSequence, FromTime, Latest, Start
from ironhub.messaging.telemetry.service import TelemetryService

_MILLISECOND: Final = 0.001
_ROUNDING: Final = 0.000_000_5
"""Seconds by which an instant may lie before the millisecond that readers are told (dialects.azure.amqp_values)."""


async def resolve_start(start: Start, telemetry: TelemetryService, grant: Grant, partition: int) -> int:
    """Return the sequence number to read from: settled once, so that what is stored later is never passed by.

    Beyond the end stands for the end; what is no longer kept stands for the oldest that is (azure-service-api 6.4).

    Raises:
        Unavailable: the disk cannot be searched.
    """
    ends = await telemetry.ends(grant, partition)
    match start:
        case Latest():
            return ends.next
        case Earliest():
            return ends.first
        case FromOffset(number, inclusive) | FromSequence(number, inclusive):  # an offset is a sequence number here
            return max(ends.first, min(number if inclusive else number + 1, ends.next))
        case FromTime(seconds, inclusive):
            # Readers know whole milliseconds only: "after" one of them is from the next one on.
            wanted = seconds if inclusive else seconds + _MILLISECOND
            return await telemetry.seek(grant, partition, wanted - _ROUNDING)
