"""The vendor's query language: text becomes a Query of ours.

Source: Azure IoT Hub, "IoT Hub query language for device and module twins, jobs, and message routing".
"""

from typing import Final

from ironhub.twins.queries.model import Condition, Query

MAX_QUERY: Final = 8192
"""Characters."""


def parse_query(text: str) -> Query:
    """Return what `text`, a whole SELECT, asks for. Raises QueryInvalid naming line and column."""
    raise NotImplementedError


def parse_condition(text: str) -> Condition:
    """Return what the part after WHERE asks of a device twin; "*": nothing, all are meant. Raises QueryInvalid."""
    raise NotImplementedError
