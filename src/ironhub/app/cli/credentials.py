"""What people say on a command line about credentials, as the admin API takes it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ironhub.app.cli.options import Auth
from ironhub.app.cli.problems import UsageProblem
from ironhub.core.clock import Entropy


def auth_of(auth: Auth | None, thumbprints: Sequence[str] | None, key_file: Path | None) -> dict[str, Any] | None:
    """Return the `auth` of a request; None: nothing was said. Raises UsageProblem, OSError."""
    if thumbprints and auth is None:
        auth = Auth.X509_THUMBPRINT
    if key_file is not None and auth is None:
        auth = Auth.SAS
    if auth is None:
        return None
    if (auth is Auth.X509_THUMBPRINT) != bool(thumbprints):
        raise UsageProblem("--thumbprint belongs to --auth x509-thumbprint, once or twice")
    if key_file is not None and auth is not Auth.SAS:
        raise UsageProblem("--key-file belongs to --auth sas")
    said: dict[str, Any] = {"kind": auth.value}
    if thumbprints:
        said["thumbprints"] = list(thumbprints)
    if key_file is not None:
        said["keys"] = _keys_in(key_file)
    return said


def rolled(device: dict[str, Any], which: str, entropy: Entropy) -> dict[str, Any]:
    """Return the `auth` that gives a device (read with its keys) a new key in place of "primary" or "secondary".

    Raises:
        UsageProblem: it has no keys.
    """
    keys = device["auth"].get("keys")
    if keys is None:
        raise UsageProblem("it has no keys to be replaced", "Give it keys first: --auth sas.")
    return {"kind": Auth.SAS.value, "keys": {**keys, which: _new_key(entropy)}}


def _new_key(entropy: Entropy) -> str:
    from base64 import b64encode

    return b64encode(entropy.token_bytes(32)).decode()


def _keys_in(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="ascii", errors="replace").split()
    if len(lines) != 2:
        raise UsageProblem(f"{path} does not hold two keys", "Write two keys, base64 of 16 to 64 bytes, one a line.")
    return {"primary": lines[0], "secondary": lines[1]}
