"""What a gate asks, from dictionaries; and a hub's worth of well-known names and keys for tests."""

from collections.abc import Sequence

from tests.fakes.clock import FakeClock
from tests.fakes.pki import FakeAuthority

from ironhub.core.ids import Identity, identity
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate, GateSettings
from ironhub.identity.model import (
    CredentialKind,
    Credentials,
    DeviceClaim,
    KnownIdentity,
    KnownPolicy,
    Right,
    SymmetricKeys,
    Thumbprints,
    TrustedAuthority,
)
from ironhub.identity.sas import make_sas_token

HUB = "hub.example"
PRESS = identity("press-7")
ARM = identity("press-7", "arm")
KEYS = SymmetricKeys(b"p" * 32, b"s" * 32)
OTHER_KEYS = SymmetricKeys(b"q" * 32, b"t" * 32)
OWNER_KEYS = SymmetricKeys(b"o" * 32, b"w" * 32)


class KnownToTheHub:
    """Implements IdentitySource, PolicySource and AuthoritySource."""

    def __init__(self) -> None:
        self.identities: dict[Identity, KnownIdentity] = {}
        self.policies: dict[str, KnownPolicy] = {}
        self.authorities: list[TrustedAuthority] = []

    async def known_identity(self, identity: Identity) -> KnownIdentity | None:
        """Return what was put there."""
        return self.identities.get(identity)

    async def known_policy(self, name: str) -> KnownPolicy | None:
        """Return what was put there; names compare case-insensitively."""
        return self.policies.get(name.lower())

    async def trusted_authorities(self) -> Sequence[TrustedAuthority]:
        """Return what was put there."""
        return tuple(self.authorities)

    def put(self, who: Identity, credentials: Credentials, *, enabled: bool = True, generation: str = "g1") -> None:
        """Register or change a device or module."""
        self.identities[who] = KnownIdentity(who, generation, enabled, credentials)

    def put_policy(self, name: str, *rights: Right, keys: SymmetricKeys = OWNER_KEYS) -> None:
        """Register or change a policy."""
        self.policies[name.lower()] = KnownPolicy(name, keys, frozenset(rights))

    def trust(self, authority: FakeAuthority, name: str = "plant", *, revocation_list: bytes | None = None) -> None:
        """Register a proven authority; `revocation_list` is DER."""
        self.authorities.append(TrustedAuthority(name, authority.der, revocation_list))


def sas(keys: SymmetricKeys = KEYS) -> Credentials:
    """Credentials of a device with keys."""
    return Credentials(CredentialKind.SAS, keys=keys)


def pinned(primary: str | None, secondary: str | None = None) -> Credentials:
    """Credentials of a device with thumbprints."""
    return Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(primary, secondary))


def issued() -> Credentials:
    """Credentials of a device that registered authorities vouch for."""
    return Credentials(CredentialKind.CERTIFICATE_AUTHORITY)


def token_for(
    resource: str, *, clock: FakeClock, key: bytes = KEYS.primary, ttl: float = 3600.0, policy: str | None = None
) -> str:
    """A token that ends in `ttl` seconds."""
    return make_sas_token(resource, key, int(clock.now() + ttl), policy)


def claim(who: Identity = PRESS, token: str | None = None, host: str = HUB) -> DeviceClaim:
    """What a peer says it is."""
    return DeviceClaim(who, host, token)


def make_gate(known: KnownToTheHub, clock: FakeClock, settings: GateSettings | None = None) -> Gate:
    """A gate for hub.example, whose event endpoint is called "telemetry"."""
    names = HubNames([HUB, "localhost", "127.0.0.1"], event_stream="telemetry")
    return Gate(known, known, known, names, clock, settings)


__all__ = [
    "ARM",
    "HUB",
    "KEYS",
    "OTHER_KEYS",
    "OWNER_KEYS",
    "PRESS",
    "KnownToTheHub",
    "claim",
    "issued",
    "make_gate",
    "pinned",
    "sas",
    "token_for",
]
