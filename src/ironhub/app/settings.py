"""What an operator can set, from where, and what is wrong with it, all at once.

Built-in defaults < `ironhub.toml` in the data directory < environment `IRONHUB_…` < command line (design D12).
"""

import ipaddress
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from ironhub.core.errors import HubError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ENVIRONMENT_PREFIX = "IRONHUB_"


class SettingsInvalid(HubError):
    """Some settings cannot be; the message lists every one of them."""

    code: ClassVar[str] = "settings.invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Correct each named setting in ironhub.toml, the environment or on the command line."


class Settings(BaseModel):
    """Everything that can be set. Names are those of the TOML file; upper-case with IRONHUB_ in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path("ironhub-data")
    """The data directory; everything the hub keeps is in it."""
    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses the device ports listen on. Loopback only unless told otherwise."""
    admin_bind: str = "127.0.0.1"
    """Address of the admin and the metrics port."""
    mqtt_port: int = Field(8883, ge=0, le=65535)
    """MQTT over TLS; 0: any free port."""
    https_port: int | None = Field(None, ge=0, le=65535)
    """HTTPS and WebSockets; None: 443, or 8443 with a warning where 443 is refused to this user."""
    amqp_port: int = Field(5671, ge=0, le=65535)
    """AMQP over TLS; 0: any free port."""
    amqp_plain_port: int | None = Field(None, ge=0, le=65535)
    """AMQP without TLS, for clients told that this is a development emulator; None: off. Everybody on this machine can
    read along, so it needs loopback addresses in `bind`. 0: any free port."""
    admin_port: int = Field(9443, ge=0, le=65535)
    """Admin API; 0: any free port."""
    metrics_port: int = Field(9464, ge=0, le=65535)
    """Metrics and health; 0: any free port."""
    hostname: tuple[str, ...] = ()
    """Names the hub answers to besides localhost and the loopback addresses; they go into its certificate."""
    tls_engine: Literal["auto", "ssl", "openssl"] = "auto"
    """Which TLS engine; auto: the one measured best of those that work here."""
    max_connections: int = Field(12_000, ge=1)
    """Device connections in all; also bound by the file descriptors this process may have."""
    max_unidentified: int = Field(2_000, ge=1)
    """Device connections that have not authenticated yet; the oldest makes room for the newest."""
    max_per_address: int = Field(10_000, ge=1)
    """Device connections from one address; plants behind one NAT gateway need many."""
    handshake_timeout: float = Field(20.0, gt=0)
    """Seconds from accept until the TLS handshake is done."""
    connect_timeout: float = Field(30.0, gt=0)
    """Seconds from accept until the device is authenticated."""
    clock_skew: float = Field(300.0, ge=0, le=3600)
    """Seconds a SAS token stays good after its expiry, for devices whose clock runs late."""
    commit_interval: float = Field(0.004, ge=0, le=1)
    """Seconds that telemetry waits for more of it before one commit stores all."""
    retention_age: float = Field(86_400.0, gt=0)
    """Seconds that telemetry is kept."""
    retention_bytes: int = Field(10 << 30, gt=0)
    """Bytes of telemetry that are kept at most."""
    partitions: int = Field(4, ge=1, le=128)
    """Partitions of the event log; fixed when the data directory is created."""
    upload_link_ttl: float = Field(3600.0, ge=60, le=86_400)
    """Seconds that a device has for a file upload, and its link is good for."""
    upload_container: str = "uploads"
    """Container that devices upload into."""
    upload_account: Path | None = None
    """File with the connection string of a storage account that devices upload to; none: the hub's own blobs."""
    upload_account_ca: Path | None = None
    """PEM file of the authority that vouches for that account's address; none: those the system trusts."""
    file_notifications: bool = True
    """Whether back ends are told of files that came."""
    file_notification_ttl: float = Field(3600.0, ge=60, le=172_800)
    """Seconds that a file notification waits to be taken."""
    file_notification_lock: float = Field(60.0, ge=5, le=300)
    """Seconds that a receiver has to settle a file notification."""
    file_notification_max_delivery: int = Field(10, ge=1, le=100)
    """Deliveries before a file notification is dropped."""
    blob_max_size: int = Field(5 << 30, gt=0)
    """Bytes of one blob in the hub's own store, at most."""
    blob_max_total: int = Field(50 << 30, gt=0)
    """Bytes of all blobs and waiting blocks in the hub's own store together, at most."""
    blob_max_blocks: int = Field(10_000, ge=1, le=50_000)
    """Blocks that may wait to become one blob."""
    blob_block_ttl: float = Field(86_400.0, ge=60)
    """Seconds that a block waits to become part of a blob."""
    max_active_jobs: int = Field(10, ge=1, le=1000)
    """Jobs that run at the same time; another one to begin now is refused."""
    job_concurrency: int = Field(64, ge=1, le=1000)
    """Devices that one job works on at the same time."""
    job_history: float = Field(30 * 86_400.0, gt=0)
    """Seconds that a job and what became of its devices are kept after its end."""
    configuration_interval: float = Field(300.0, ge=1)
    """Seconds between two looks at which twins meet the conditions of automatic configurations."""
    transfer_hosts: tuple[str, ...] = ("*.blob.core.windows.net",)
    """Hosts that import and export jobs may reach: *.DOMAIN for all below one, on port 443 and with public addresses
    only; NAME or NAME:PORT for one of them, also in a private network. The hub's own containers need no mention."""
    transfer_ca: Path | None = None
    """PEM file of the authority that vouches for those hosts; none: those the system trusts."""
    drain_timeout: float = Field(10.0, gt=0)
    """Seconds that a stop waits for sessions to close."""
    log_format: Literal["json", "console"] = "json"
    """How log lines are written."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_is_false(cls, value: object, info: ValidationInfo) -> object:
        """Whoever turns a port off with `false` must not get any free one, which is what 0 means."""
        name = info.field_name or ""
        if isinstance(value, bool) and cls.model_fields[name].annotation is not bool:
            raise PydanticCustomError("no_number", "neither true nor false; leave it out for what it is by default")
        return value


def exposed_addresses(bind: Sequence[str]) -> list[str]:
    """Return those that other machines may reach: all but loopback addresses by number."""
    return [address for address in bind if not _is_loopback(address)]


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False  # a name, which may come to mean another address


def load_settings(data: Path | None = None, *, environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Return the settings of the data directory `data`. Raises SettingsInvalid listing every problem.

    Args:
        data: the data directory; None: IRONHUB_DATA or ./ironhub-data.
        environment: the process environment unless a test hands in its own.
        given: what the command line says; None values are not given.
    """
    surroundings = os.environ if environment is None else environment
    from_environment = _from_environment(surroundings)
    directory = data or Path(from_environment.get("data") or Settings.model_fields["data"].default)
    merged = {**_from_file(directory / "ironhub.toml"), **from_environment, "data": directory}
    merged.update({name: value for name, value in given.items() if value not in (None, ())})
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsInvalid("; ".join(map(_problem, error.errors(include_input=False)))) from error


def _problem(found: "ErrorDetails") -> str:
    name = ".".join(map(str, found["loc"]))
    return f"{name}: {'there is no such setting' if found['type'] == 'extra_forbidden' else found['msg']}"


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):  # who opens the directory says what is wrong with it
        return {}
    except (OSError, UnicodeError) as error:
        raise SettingsInvalid(f"{path}: cannot be read: {error}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{path}: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        text = environment.get(f"{ENVIRONMENT_PREFIX}{name.upper()}")
        if text is not None:
            found[name] = [part.strip() for part in text.split(",")] if "tuple" in str(field.annotation) else text
    return found
