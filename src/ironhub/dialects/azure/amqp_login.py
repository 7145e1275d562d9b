"""The user name of SASL PLAIN: which policy, device or module wants in.

Source: azure-service-api 2.4, azure-device-api 3.1.
"""

from collections.abc import Iterable
from typing import Final

from ironhub.core.ids import Identity, InvalidId, identity
from ironhub.identity.model import AuthenticationFailed

MAX_USERNAME: Final = 1024
"""Characters; two ids of 128 and a host name fit."""
_AT: Final = "@sas."
_ROOT: Final = "root."


def parse_login(username: str, names: Iterable[str]) -> Identity | str:
    """Return the identity that wants in, or the name of the policy.

    Args:
        username: `{policy}@sas.root.{hub}`, `{device}@sas.{hub}` or `{device}/modules/{module}@sas.{hub}`; a device's
            id may hold an "@" of its own.
        names: the hosts that are ours, in lower case; `{hub}` is the first label of one of them, or all of it.

    Raises:
        AuthenticationFailed: it is none of these forms, or names another hub.
    """
    who, at, hub = username.rpartition(_AT)
    ours = {form for name in names for form in (name, name.partition(".")[0])}
    hub = hub.lower()
    if not at or not who or len(username) > MAX_USERNAME:
        raise _refuse(username)
    if hub.startswith(_ROOT) and hub.removeprefix(_ROOT) in ours:
        return who
    if hub not in ours:
        raise _refuse(username)
    device, is_module, module = who.partition("/modules/")
    try:
        return identity(device, module if is_module else None)
    except InvalidId as error:
        raise _refuse(username) from error


def _refuse(username: str) -> AuthenticationFailed:
    return AuthenticationFailed("the user name was not accepted", detail=f"user name {username[:200]!a}")
