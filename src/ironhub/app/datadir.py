"""The data directory: what is created on the first start, kept on every later one, and who may use it right now.

What it protects: every secret in it is readable by its owner only, is written whole or not at all, and a second process
never opens the same directory.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, ClassVar, Final

from ironhub.app.waiting import wait_until
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError
from ironhub.core.sealing import KEY_SIZE

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700


class DirectoryInUse(HubError):
    """Another process uses the data directory."""

    code: ClassVar[str] = "data.in_use"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Stop the hub that runs on it, or give another directory with --data."


class DirectoryMissing(HubError):
    """There is no data directory there."""

    code: ClassVar[str] = "data.missing"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = (
        "Name the right directory with --data or IRONHUB_DATA, or run `ironhub serve` to create one."
    )


class DirectoryUnusable(HubError):
    """The data directory cannot be read or written."""

    code: ClassVar[str] = "data.unusable"
    status: ClassVar[int] = 503
    next_step: ClassVar[str] = "Give this user the directory (mode 0700), or name another one with --data."


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Where a running hub listens. Ports."""

    pid: int
    mqtt: int
    https: int
    amqp: int
    admin: int
    metrics: int
    bind: str = "127.0.0.1"
    """The first address of the device ports: the command line may have named another than the settings do."""
    amqp_plain: int | None = None
    """None: it is off."""


class DirectoryIncomplete(HubError):
    """Files are gone that a hub cannot make again: new ones would open nothing, or be trusted by nobody."""

    code: ClassVar[str] = "data.incomplete"
    status: ClassVar[int] = 500
    next_step: ClassVar[str] = (
        "Restore the data directory from a backup; an empty stream.db may be deleted, if what it held can be missed."
    )


class DataDirectory:
    """Paths, secrets and the lock of one hub."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hub_database = path / "hub.db"
        self.stream_database = path / "stream.db"
        self.settings_file = path / "ironhub.toml"
        self.blobs = path / "blobs"
        self.ca_certificate = path / "pki" / "ca.pem"
        self.ca_key = path / "pki" / "ca.key"
        self.server_certificate = path / "pki" / "server.pem"
        self.server_key = path / "pki" / "server.key"
        self._master_key = path / "master.key"
        self._admin_token = path / "admin.token"
        self._lock = path / "ironhub.lock"
        self._run = path / "run.json"

    def exists(self) -> bool:
        """Whether a hub was ever started on it."""
        return self._master_key.is_file()

    def require(self) -> None:
        """Raise DirectoryMissing when no hub was ever started on it, DirectoryUnusable when it is a file."""
        self._require_no_file()
        if not self.exists():
            raise DirectoryMissing(f"{self.path} is no data directory of a hub")

    def _require_no_file(self) -> None:
        if self.path.is_file():
            raise DirectoryUnusable(f"{self.path} is a file, not a directory")

    def make(self) -> None:
        """Create the directories that are missing, and nothing in them: enough to lock. Raises DirectoryUnusable."""
        self._require_no_file()
        try:
            for directory in (self.path, self.path / "pki"):
                directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        except OSError as error:
            raise DirectoryUnusable(f"{self.path}: {error.strerror or error}") from error

    def create(self, entropy: Entropy) -> None:
        """Create what is missing: the directories, the master key, the admin token.

        For the holder of the lock: of two who begin at once, one would write over the key that the other uses.

        Raises:
            DirectoryUnusable, DirectoryIncomplete.
        """
        self._require_whole()
        self.make()
        try:
            for secret in (self._master_key, self._admin_token):
                if not secret.is_file():
                    self.write_private(secret, entropy.token_bytes(KEY_SIZE).hex().encode() + b"\n")
        except OSError as error:
            raise DirectoryUnusable(f"{self.path}: {error.strerror or error}") from error

    def require_log(self) -> None:
        """Raise DirectoryIncomplete when the log's file is there and empty. One that is not there can be made."""
        if self.stream_database.exists() and not _has_content(self.stream_database):
            raise DirectoryIncomplete(f"{self.stream_database.name} is empty")

    def master_key(self) -> bytes:
        """Return the raw master key. Raises DirectoryUnusable."""
        return self._secret(self._master_key)

    def admin_token(self) -> str:
        """Return the token that proves to the admin API that its holder can read this directory."""
        return self._secret(self._admin_token).hex()

    def ca_pem(self) -> str:
        """Return the PEM that clients must trust. Raises DirectoryMissing."""
        self.require()
        return self.ca_certificate.read_text(encoding="ascii")

    @contextmanager
    def locked(self, clock: Clock, *, patience: float = 0.0) -> Iterator[None]:
        """Hold the directory for this process; waits `patience` seconds for another.

        Raises:
            DirectoryInUse, DirectoryUnusable.
        """
        with self._opened_lock() as lock:
            if not wait_until(lambda: _try_lock(lock.fileno(), fcntl.LOCK_EX), patience, clock):
                raise DirectoryInUse(f"{self.path} is used by another process")
            try:
                yield
            finally:
                self._run.unlink(missing_ok=True)

    def announce(self, info: RunInfo) -> None:
        """Write down where the hub listens, for the command line. Only the holder of the lock may."""
        self.write_private(self._run, json.dumps(asdict(info)).encode())

    def running(self) -> RunInfo | None:
        """Return where the hub of this directory listens, or None when none is ready."""
        try:
            with self._lock.open("a") as lock:
                if _try_lock(lock.fileno(), fcntl.LOCK_SH):
                    return None
            return RunInfo(**json.loads(self._run.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write_private(self, path: Path, content: bytes) -> None:
        """Write a file of mode 0600, whole or not at all, durably."""
        draft = path.with_name(f".{path.name}.draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), PRIVATE_FILE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_directory(path.parent)

    def _require_whole(self) -> None:
        """What is made before something else, and lost while that is there, must not be made anew."""
        needed: tuple[Path, ...] = ()
        if _has_content(self.hub_database):
            needed = (self._master_key, self.ca_key, self.ca_certificate)
        elif _has_content(self.stream_database):
            needed = (self.hub_database,)
        lost = [str(path.relative_to(self.path)) for path in needed if not _has_content(path)]
        if lost:
            raise DirectoryIncomplete(f"{self.path} has lost {', '.join(lost)}")

    def _opened_lock(self) -> IO[str]:
        try:
            return self._lock.open("a")
        except OSError as error:
            raise DirectoryUnusable(f"{self._lock}: {error.strerror or error}") from error

    def _secret(self, path: Path) -> bytes:
        self.require()
        try:
            secret = bytes.fromhex(path.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise DirectoryUnusable(f"{path.name} cannot be read") from error
        if len(secret) != KEY_SIZE:
            raise DirectoryUnusable(f"{path.name} is damaged")
        return secret


def sync_directory(path: Path) -> None:
    """Make a rename in this directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
