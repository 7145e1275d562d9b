"""The bounds of a connection, one value shared by all connections of a listener."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bytes, seconds and counts a client may take, and the name we answer with."""

    container_id: str = "ironhub"
    """Our name in OPEN."""
    max_frame: int = 65_536
    """Bytes of one frame from the client, header included; announced in OPEN."""
    max_stranger_frame: int = 16_384
    """Bytes of one frame until `identified()`: room for a token, and all that a stranger can make us hold of one."""
    max_message: int = 1_048_576
    """Bytes of one message, put together from its frames; a link may be accepted with less."""
    max_unfinished: int = 4_194_304
    """Bytes of messages that are not whole yet, over all links of a connection."""
    max_channels: int = 256
    """Sessions at a time."""
    max_stranger_channels: int = 8
    """Sessions until `identified()`."""
    max_links: int = 1024
    """Links at a time, over all sessions."""
    max_stranger_links: int = 32
    """Links until `identified()`."""
    max_handle: int = 1023
    """The largest handle of a session; announced in BEGIN."""
    idle_timeout: float = 240.0
    """Seconds a client may be silent, announced in OPEN; 0: for ever."""
    incoming_window: int = 5000
    """Transfer frames a session takes before it tells anew how many more."""
    max_unsettled: int = 5000
    """Our deliveries of one session that may wait for the client's verdict."""
    max_terms: int = 4_194_304
    """Bytes of all ATTACHes whose handles are in use, with 1024 more for each."""
    min_idle: float = 1.0
    """Seconds; a client that bears less silence of ours is refused."""
