"""What a device may show, and who we believe it is once it was verified."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import ClassVar, NamedTuple

from ironhub.core.errors import HubError
from ironhub.core.ids import Identity


class CredentialKind(StrEnum):
    """How an identity proves itself. The values are stored."""

    SAS = "sas"
    SELF_SIGNED = "self_signed"
    CERTIFICATE_AUTHORITY = "certificate_authority"
    NONE = "none"


class SymmetricKeys(NamedTuple):
    """Two raw keys (base64 undone), 16 to 64 bytes each; either is good, so that one can be rolled at a time."""

    primary: bytes
    secondary: bytes


class Thumbprints(NamedTuple):
    """Hashes of a certificate's DER: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits; None: slot not used."""

    primary: str | None
    secondary: str | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is stored of how one identity proves itself. `keys` only for SAS, `thumbprints` only for SELF_SIGNED."""

    kind: CredentialKind
    keys: SymmetricKeys | None = None
    thumbprints: Thumbprints | None = None


class Right(Enum):
    """The four rights of a shared access policy (Azure IoT Hub, "Control access with shared access signatures")."""

    REGISTRY_READ = "RegistryRead"
    REGISTRY_WRITE = "RegistryWrite"
    SERVICE_CONNECT = "ServiceConnect"
    DEVICE_CONNECT = "DeviceConnect"


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """What the gate must know of an identity to judge it."""

    identity: Identity
    generation_id: str
    enabled: bool
    """Of the device; a module is enabled when its device is."""
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """What the gate must know of a shared access policy."""

    name: str
    keys: SymmetricKeys
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """A registered, proven CA certificate, root or intermediate, and its revocation list; both DER."""

    name: str
    certificate: bytes
    revocation_list: bytes | None = None


@dataclass(frozen=True, slots=True)
class DeviceClaim:
    """What a peer says it is, not yet believed."""

    identity: Identity
    host: str
    """The hub name it names, with or without a port; any of the hub's own names is good."""
    token: str | None
    """The SAS token as sent; None: it relies on its certificate."""


class Proof(StrEnum):
    """What convinced the gate."""

    OWN_KEY = "own_key"
    POLICY_KEY = "policy_key"
    THUMBPRINT = "thumbprint"
    CHAIN = "chain"
    LOCAL_OPERATOR = "local_operator"


@dataclass(frozen=True, slots=True)
class DevicePrincipal:
    """A device or module whose credential was verified. Only the gate makes one."""

    identity: Identity
    generation_id: str
    proof: Proof
    expires_at: float | None
    """When the token ends, seconds since the epoch; None for a certificate."""
    policy: str | None = None
    """The shared access policy whose key signed the token, for POLICY_KEY."""
    chain_digest: str = ""
    """SHA-256 of the certificate shown, for THUMBPRINT and CHAIN, so that a revocation can find it."""
    authority: str = ""
    """The registered CA that its chain ends at, for CHAIN."""
    serials: tuple[int, ...] = ()
    """The serial numbers in its chain, for CHAIN, so that those a new revocation list names are found first."""
    key_digest: str = field(default="", repr=False)
    """SHA-256 of the key that signed the token, for OWN_KEY and POLICY_KEY, so that rolling that key finds it."""


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """A back end whose policy token was verified. Only the gate makes one."""

    policy: str
    rights: frozenset[Right]
    scope: str
    """Path prefix below the hub that the token was signed for, e.g. "" (all) or "/devices/press-7"; whole segments.
    Whatever the token calls the telemetry stream, it is "/messages/events" here."""
    expires_at: float
    """When the token ends, seconds since the epoch."""
    key_digest: str = field(default="", repr=False)
    """As for a device."""


class LinkRight(Enum):
    """What a signed link lets its holder do."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class LinkPrincipal:
    """Whoever holds a signed link to a blob or a container. Only the gate for links makes one."""

    container: str
    blob: str | None
    """None: every blob of the container, and the container."""
    rights: frozenset[LinkRight]
    expires_at: float
    """When the link ends, seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class OperatorPrincipal:
    """Somebody who proved to hold the data directory's admin token, or works in that directory itself."""

    name: str


Principal = DevicePrincipal | ServicePrincipal | LinkPrincipal | OperatorPrincipal


@dataclass(frozen=True, slots=True)
class Remembered:
    """Who set something going, as stored with it: enough to ask the gate about them again, not to be admitted by."""

    name: str
    """Of the policy, or of the operator."""
    by_policy: bool
    scope: str = ""
    """As of a ServicePrincipal."""
    key_digest: str = field(default="", repr=False)
    """As of a ServicePrincipal."""


class AuthenticationFailed(HubError):
    """The credential was not good. The caller learns no more; `detail` says why in our own log."""

    code: ClassVar[str] = "identity.unauthorized"
    status: ClassVar[int] = 401
    next_step: ClassVar[str] = (
        "Check the id, the key or certificate and the clock of the caller; the hub's log says which."
    )
