"""What the benchmark needs besides Python: a C compiler, OpenSSL's headers, the peers; and what is built with them."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FLAGS: Final = ("-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE")
_LOAD_PARTS: Final = ("load", "commands", "reading", "connection", "mqtt", "amqp", "amqp_values", "devices")
LOAD_SOURCES: Final = tuple(HERE / f"{name}.c" for name in _LOAD_PARTS)
_RABBITMQ: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Not the one in PATH: that changes to another user."""


class NotHere(Exception):
    """Something is missing that could not be installed; the message says what to do."""


def mosquitto() -> Path:
    """Return the path of mosquitto, installing Debian's package if it is missing. Raises NotHere."""
    found = _mosquitto()
    if found is None:
        _install(["mosquitto"])
        _stop_service("mosquitto")
        found = _mosquitto()
    if found is None:
        raise NotHere("mosquitto was installed, but it is not in PATH")
    return found


def rabbitmq() -> Path:
    """Return the path of RabbitMQ's server script, installing Debian's package if it is missing. Raises NotHere."""
    if not _RABBITMQ.exists():
        _install(["rabbitmq-server"], RUNLEVEL="1")  # what Debian would start is not ours
        _stop_service("rabbitmq-server")
    if not _RABBITMQ.exists():
        raise NotHere(f"rabbitmq-server was installed, but {_RABBITMQ} is not there")
    return _RABBITMQ


@dataclass(frozen=True, slots=True)
class Programs:
    """What was compiled."""

    load: Path
    """Devices over MQTT and AMQP, and readers of their events."""
    rest: Path
    """Clients over HTTPS."""
    slowsync: Path
    """The library that slows fsync down."""


def build(directory: Path) -> Programs:
    """Compile into `directory`. Raises NotHere."""
    if shutil.which("cc") is None:
        _install(["gcc", "libc6-dev"])
    if not _compiles("#include <openssl/ssl.h>"):
        _install(["libssl-dev"])
    load, rest, slow = directory / "load", directory / "rest", directory / "slowsync.so"
    _compile([*FLAGS, "-o", str(load), *map(str, LOAD_SOURCES), "-lssl", "-lcrypto"])
    _compile([*FLAGS, "-o", str(rest), str(HERE / "rest.c"), "-lssl", "-lcrypto"])
    _compile([*FLAGS, "-shared", "-fPIC", "-o", str(slow), str(HERE / "slowsync.c"), "-ldl"])
    return Programs(load, rest, slow)


def _mosquitto() -> Path | None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which("mosquitto", path=path)
    return None if found is None else Path(found)


def _compiles(line: str) -> bool:
    done = subprocess.run(["cc", "-E", "-x", "c", "-"], input=line, text=True, capture_output=True, check=False)
    return done.returncode == 0


def _compile(arguments: Sequence[str]) -> None:
    done = subprocess.run(["cc", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"the C compiler refuses the load generator:\n{done.stderr}")


def _install(packages: Sequence[str], **surroundings: str) -> None:
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotHere(f"missing: {' '.join(packages)}. Install with: sudo {' '.join(command)}")
    done = _apt(command, surroundings)
    if done.returncode:
        _apt(["apt-get", "update", "-qq"], {})
        done = _apt(command, surroundings)
    if done.returncode:
        raise NotHere(f"apt-get cannot install {' '.join(packages)}: {done.stderr.strip()[-300:]}")


def _apt(command: Sequence[str], surroundings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", **surroundings}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _stop_service(name: str) -> None:
    """Debian starts what it installs; we run our own, with our own settings."""
    if shutil.which("systemctl"):
        subprocess.run(["systemctl", "disable", "--now", name], capture_output=True, check=False)
