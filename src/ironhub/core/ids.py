"""Who a message is from or for: device ids, module ids, and the identity they make together."""

import re
from typing import ClassVar, NamedTuple, NewType

from ironhub.core.errors import HubError

DeviceId = NewType("DeviceId", str)
ModuleId = NewType("ModuleId", str)

MAX_ID_LENGTH = 128
# Azure IoT Hub, "Understand the identity registry"; ":" is accepted too because provisioned ids carry it.
_ID = re.compile(r"[A-Za-z0-9\-.+%_#*?!(),:=@$']{1,128}\Z")


class InvalidId(HubError):
    """An id has a length or a character that no device or module may have."""

    code: ClassVar[str] = "id.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Use 1 to 128 of the ASCII letters and digits and - . + % _ # * ? ! ( ) , : = @ $ '."


class Identity(NamedTuple):
    """A device, or one of its modules: what holds a credential, a twin and a command queue of its own."""

    device_id: DeviceId
    module_id: ModuleId | None = None

    def __str__(self) -> str:
        """`press-7`, or `press-7/arm` for its module; "/" cannot occur in either id."""
        return self.device_id if self.module_id is None else f"{self.device_id}/{self.module_id}"


def device_id(text: str) -> DeviceId:
    """Return `text` as a device id (case-sensitive). Raises InvalidId."""
    _check(text)
    return DeviceId(text)


def module_id(text: str) -> ModuleId:
    """Return `text` as a module id (same rules as a device id). Raises InvalidId."""
    _check(text)
    return ModuleId(text)


def identity(device: str, module: str | None = None) -> Identity:
    """Return the checked identity of a device or of its module. Raises InvalidId."""
    return Identity(device_id(device), None if module is None else module_id(module))


def _check(text: str) -> None:
    if not _ID.match(text):
        shown = text[:MAX_ID_LENGTH].encode("ascii", "backslashreplace").decode()
        raise InvalidId(f"{shown!r} is not a valid id")
