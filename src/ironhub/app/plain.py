"""Text from strangers, made harmless for a terminal.

Protects against device ids, properties and payloads that carry escape sequences: whoever watches telemetry must not
have the title, the clipboard or the screen of their terminal rewritten by a device.
"""

import re
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return `text` with control characters and changes of writing direction written out as escapes."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """Return `text` in one line: white space collapsed, the rest as `plain`."""
    return plain(" ".join(text.split()))
