"""The names under which a reader takes the hub's word: who sent a message, how it was authenticated, when it came.

What it protects: a device that sends its own properties under these names is not believed by anybody; what it sends
there never reaches a reader.
"""

from typing import Final

_NAMES: Final = frozenset(
    {
        "dt-dataschema",
        "iothub-enqueuedtime",
        "iothub-message-source",
        "iothub-messagetype",
        "mqtt-dup",
        "mqtt-retain",
    }
)
_PREFIXES: Final = ("iothub-connection-", "x-opt-")


def is_vouched(name: str) -> bool:
    """Tell whether only the hub may use `name`; readers compare such names without regard to case."""
    lower = name.strip().lower()
    return lower in _NAMES or lower.startswith(_PREFIXES)
