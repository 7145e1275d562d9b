"""The bodies of twin messages to and from a device.

Source: azure "Understand and use device twins"; SDKs need `$version` in each section and in every desired patch, and a
JSON body with `errorCode` in every refusal.
"""

from typing import Any, Final

from ironhub.core.strict_json import decode_json_object, encode_json
from ironhub.twins.model import Properties, Section, Twin

MAX_TWIN_DEPTH: Final = 32
"""Far above what a twin may hold, so that the twin's own rules name the property that is too deep."""


def decode_reported(data: bytes) -> Properties:
    """Return the merge patch a device sends. Raises JsonInvalid."""
    return decode_json_object(data, max_depth=MAX_TWIN_DEPTH)


def encode_own_twin(twin: Twin) -> bytes:
    """Return the twin as its device may see it: no tags, no metadata."""
    return encode_json({"desired": _section(twin.desired), "reported": _section(twin.reported)})


def encode_desired(version: int, patch: Properties) -> bytes:
    """Return the notice of a change of desired properties; removed keys are null."""
    return encode_json({**patch, "$version": version})


def _section(section: Section) -> dict[str, Any]:
    return {**section.properties, "$version": section.version}
