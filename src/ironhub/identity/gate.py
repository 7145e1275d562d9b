"""The one gate: what a peer shows becomes a principal here, and nowhere else.

Protects against every way in without a credential of one's own: each device is held to the kind of credential it was
registered with, a token counts only for the hub, device and module it was signed for, and unknown, disabled and
wrongly keyed devices get the same answer after the same verification. Ids are no secret all the same: whether one was
looked up lately can show in the time an answer takes.
"""

import asyncio
import hashlib
import hmac
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ironhub.core.clock import Clock
from ironhub.core.ids import Identity
from ironhub.identity.audience import EVENTS_PATH, Audience, HubNames, covers, identity_path, parse_audience
from ironhub.identity.certificates import CertificateRejected
from ironhub.identity.model import (
    AuthenticationFailed,
    CredentialKind,
    DeviceClaim,
    DevicePrincipal,
    KnownIdentity,
    KnownPolicy,
    OperatorPrincipal,
    Proof,
    Remembered,
    Right,
    ServicePrincipal,
    SymmetricKeys,
    Thumbprints,
)
from ironhub.identity.policy import DEFAULT_POLICY, CertificatePolicy
from ironhub.identity.ports import AuthoritySource, IdentitySource, PolicySource
from ironhub.identity.sas import (
    CLOCK_SKEW,
    TokenRejected,
    UnverifiedToken,
    VerifiedToken,
    key_digest,
    parse_sas_token,
    verify_sas_token,
)
from ironhub.identity.x509 import AdmittedChain, ChainJudge, match_thumbprints

_NO_KEYS: Final = SymmetricKeys(bytes(32), bytes(32))
"""Tried in vain where there are none, so that it costs the same; who signs with them is refused all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """How lenient the gate is."""

    clock_skew: float = CLOCK_SKEW
    """Seconds a token stays good after its expiry, for clocks that run late."""
    certificates: CertificatePolicy = DEFAULT_POLICY
    """Which certificates are strong and plain enough."""


class Gate:
    """Verifies credentials. The only maker of principals."""

    def __init__(
        self,
        identities: IdentitySource,
        policies: PolicySource,
        authorities: AuthoritySource,
        names: HubNames,
        clock: Clock,
        settings: GateSettings | None = None,
    ) -> None:
        self._identities = identities
        self._policies = policies
        self._authorities = authorities
        self._names = names
        self._clock = clock
        self._settings = settings or GateSettings()
        self._judge: ChainJudge | None = None
        self._edition = 0
        self._rebuilding = asyncio.Lock()

    async def admit_device(self, claim: DeviceClaim, chain: Sequence[bytes]) -> DevicePrincipal:
        """Return who the peer is: by its token when it shows one, else by its certificate.

        Args:
            chain: what the peer sent in its TLS handshake, DER, its own certificate first; empty: it sent none.

        Raises:
            AuthenticationFailed: one message, whatever the reason; `detail` tells it to our log.
        """
        # 1. It asks for this hub (azure-device-api 0.4, rule 5).
        if claim.host not in self._names:
            raise _refuse(f"asked for host {claim.host[:100]!r}, which is not ours")
        # 2. What we know of it, perhaps nothing; either way the rest is done.
        known = await self._identities.known_identity(claim.identity)
        # 3. It proves to be what it claims.
        if claim.token is None:
            return await self._admit_by_certificate(claim.identity, known, chain)
        return await self._admit_by_token(claim.identity, known, claim.token)

    async def admit_service(self, token: str | None) -> ServicePrincipal:
        """Return the back end that `token` (a SAS token signed with a policy's key) stands for. As admit_device."""
        # 1. There is a token, well-formed, and of a policy.
        if token is None:
            raise _refuse("no token")
        unverified = parse_sas_token(token)
        if unverified.policy is None:
            raise TokenRejected("a token of no policy")
        # 2. The policy's key signed it, and it is not expired.
        by_text = self._is_of_the_stream(unverified.resource)  # clients of Event Hubs take the key as it is written
        policy, verified = await self._verify_by_policy(unverified, unverified.policy, by_text=by_text)
        # 3. It was signed for this hub, or for a part of it.
        scope = self._scope(self._own_audience(verified).path)
        return ServicePrincipal(policy.name, policy.rights, scope, verified.ends_at, verified.key_digest)

    async def recall(self, who: Remembered) -> ServicePrincipal | OperatorPrincipal:
        """Return who set something going that works on without them, with the rights they have now.

        It rests on the policy's key, not on the token: a token's end says until when calls can be made with it, while a
        key that was rolled and a right that was taken away end also what was begun with them.

        Raises:
            AuthenticationFailed: the policy or its key is gone.
        """
        if not who.by_policy:
            return OperatorPrincipal(who.name)
        policy = await self._policies.known_policy(who.name)
        if policy is None or not _has_key(policy.keys, who):
            raise _refuse(f"policy {who.name!r} is gone, or the key that was used")
        return ServicePrincipal(policy.name, policy.rights, who.scope, math.inf, who.key_digest)

    async def still_good(self, principal: DevicePrincipal, chain: Sequence[bytes] = ()) -> bool:
        """Tell whether what a live session rests on would be admitted again; `chain` as at its beginning."""
        now = self._clock.now()
        known = await self._identities.known_identity(principal.identity)
        if known is None or not known.enabled or known.generation_id != principal.generation_id:
            return False
        if principal.expires_at is not None and now >= principal.expires_at:
            return False
        match principal.proof:
            case Proof.OWN_KEY:
                return _has_key(_own_keys(known), principal)
            case Proof.POLICY_KEY:
                policy = await self._policies.known_policy(principal.policy or "")
                return known.credentials.kind is CredentialKind.SAS and _may_connect(policy, principal)
            case _:
                return await self._still_shows(principal, known, chain)

    async def still_admits(self, principal: ServicePrincipal) -> bool:
        """Tell whether a back end's live connection would be admitted again, with all the rights it has."""
        if self._clock.now() >= principal.expires_at:
            return False
        policy = await self._policies.known_policy(principal.policy)
        return policy is not None and principal.rights <= policy.rights and _has_key(policy.keys, principal)

    def forget_authorities(self) -> None:
        """Believe no chain by what was read before: the next one waits until the authorities were read again.

        Call it at once when they changed, so that nobody is judged by the old ones after somebody heard of the new.
        """
        self._edition += 1
        self._judge = None

    async def authorities_changed(self) -> dict[str, str]:
        """Judge by the authorities that are registered now.

        Returns those of them that admit nobody, by name, and why: for the log.
        """
        self.forget_authorities()
        judge = await self._current_judge()
        return dict(judge.refused)

    def doubts(self, principal: DevicePrincipal) -> bool:
        """Tell at once whether the changed authorities may be the end of this one: whom `still_good` must see first."""
        return self._judge is None or self._judge.puts_in_doubt(principal.authority, principal.serials)

    async def prepare(self) -> None:
        """Wait until chains can be judged by the authorities that are registered now: once, however many wait."""
        if self._judge is None:
            await self._current_judge()

    async def _admit_by_token(self, identity: Identity, known: KnownIdentity | None, text: str) -> DevicePrincipal:
        # 3a. Signed by the policy it names, or else by the identity's own key (0.4, rules 1 to 4 and 6).
        token, policy = parse_sas_token(text), None
        if token.policy is None:
            verified = self._verify_by_own_key(token, known)
        else:
            policy, verified = await self._verify_by_policy(token, token.policy)
        # 3b. Signed for this hub and this identity: exactly, or for a policy a parent of it (rules 5 and 7).
        audience = self._own_audience(verified)
        path = identity_path(identity)
        if audience.path != path and not (policy is not None and covers(audience.path, path)):
            raise TokenRejected(f"signed for {audience.path[:300]!r}")
        # 3c. It may connect at all, in this way.
        if policy is not None and Right.DEVICE_CONNECT not in policy.rights:
            raise TokenRejected(f"policy {policy.name!r} lets no device connect")
        if known is None or not known.enabled or known.credentials.kind is not CredentialKind.SAS:
            raise TokenRejected("unknown, disabled, or not to be admitted by a key")
        return DevicePrincipal(
            identity,
            known.generation_id,
            Proof.OWN_KEY if policy is None else Proof.POLICY_KEY,
            verified.ends_at,
            None if policy is None else policy.name,
            key_digest=verified.key_digest,
        )

    async def _admit_by_certificate(
        self, identity: Identity, known: KnownIdentity | None, chain: Sequence[bytes]
    ) -> DevicePrincipal:
        # 3a. It showed a certificate; TLS has seen that the peer holds its key.
        if not chain:
            raise _refuse("neither a token nor a certificate")
        # 3b. Pinned: this very certificate (azure-device-api 0.5, self-signed).
        pinned, mismatch = _thumbprints_of(known), None
        if known is not None and pinned is not None:
            try:
                digest = self._match(chain[0], pinned)
                return DevicePrincipal(identity, known.generation_id, Proof.THUMBPRINT, None, chain_digest=digest)
            except CertificateRejected as error:
                mismatch = error
        # 3c. Issued for this name below a registered authority (0.5, CA-signed): any of them may issue any name. This
        #     is judged for devices of every kind, also those it cannot admit: to be refused costs the same for all.
        try:
            admitted = await self._judge_chain(identity, chain)
        except CertificateRejected as error:
            raise mismatch or error from error
        if mismatch is not None:
            raise mismatch
        if known is None or not known.enabled or known.credentials.kind is not CredentialKind.CERTIFICATE_AUTHORITY:
            raise CertificateRejected("unknown, disabled, or not to be admitted by an authority's word")
        return DevicePrincipal(
            identity,
            known.generation_id,
            Proof.CHAIN,
            None,
            chain_digest=admitted.sha256_thumbprint,
            authority=admitted.authority,
            serials=admitted.serials,
        )

    def _match(self, certificate: bytes, thumbprints: Thumbprints) -> str:
        return match_thumbprints(certificate, thumbprints, self._settings.certificates, self._clock.now())

    async def _judge_chain(self, identity: Identity, chain: Sequence[bytes]) -> AdmittedChain:
        judge = self._judge or await self._current_judge()
        admitted = judge.judge(chain, self._clock.now())
        # The subject's common name is the device id, `device/module` for a module; "/" cannot occur in an id.
        if admitted.common_name != str(identity):
            raise CertificateRejected(f"issued to {admitted.common_name[:150]!r}")
        return admitted

    async def _current_judge(self) -> ChainJudge:
        async with self._rebuilding:
            while self._judge is None:
                edition = self._edition
                trusted = await self._authorities.trusted_authorities()
                judge = await asyncio.to_thread(ChainJudge, trusted, self._settings.certificates)
                if edition == self._edition:  # else they changed meanwhile: read again
                    self._judge = judge
            return self._judge

    async def _still_shows(self, principal: DevicePrincipal, known: KnownIdentity, chain: Sequence[bytes]) -> bool:
        try:
            again = await self._admit_by_certificate(principal.identity, known, chain)
        except AuthenticationFailed:
            return False
        return again.proof is principal.proof and again.chain_digest == principal.chain_digest

    async def _verify_by_policy(
        self, token: UnverifiedToken, name: str, *, by_text: bool = False
    ) -> tuple[KnownPolicy, VerifiedToken]:
        policy = await self._policies.known_policy(name)
        if policy is None:
            raise self._reject_keyless(token, f"no policy {name!r}", by_text=by_text)
        return policy, self._verify(token, policy.keys, by_text=by_text)

    def _verify_by_own_key(self, token: UnverifiedToken, known: KnownIdentity | None) -> VerifiedToken:
        keys = _own_keys(known)
        if keys is None:
            raise self._reject_keyless(token, "unknown, disabled, or not to be admitted by a key")
        return self._verify(token, keys)

    def _reject_keyless(self, token: UnverifiedToken, detail: str, *, by_text: bool = False) -> TokenRejected:
        """Verify all the same, for the time it takes, and return the refusal that names the real reason in our log."""
        with suppress(TokenRejected):
            self._verify(token, _NO_KEYS, by_text=by_text)
        return TokenRejected(detail)

    def _verify(self, token: UnverifiedToken, keys: SymmetricKeys, *, by_text: bool = False) -> VerifiedToken:
        now, leeway = self._clock.now(), self._settings.clock_skew
        return verify_sas_token(token, keys=keys, now=now, leeway=leeway, by_text=by_text)

    def _own_audience(self, verified: VerifiedToken) -> Audience:
        audience = parse_audience(verified.resource)
        if audience is None or audience.host not in self._names:
            raise TokenRejected(f"signed for {verified.resource[:300]!r}, which is not ours")
        return audience

    def _is_of_the_stream(self, resource: str) -> bool:
        audience = parse_audience(resource)
        return audience is not None and self._scope(audience.path) != audience.path

    def _scope(self, path: str) -> str:
        first, rest = path[1:].partition("/")[::2]
        if not self._names.event_stream or first.lower() != self._names.event_stream:
            return path
        return f"{EVENTS_PATH}/{rest}" if rest else EVENTS_PATH


def admit_operator(presented: str, expected: bytes) -> OperatorPrincipal:
    """Return the operator when `presented` is the data directory's admin token, compared in constant time.

    Raises:
        AuthenticationFailed: it is not, or there is no such token (`expected` is empty).
    """
    shown, right = (hashlib.sha256(text).digest() for text in (presented.encode(errors="replace"), expected))
    if not hmac.compare_digest(shown, right) or not expected:
        raise _refuse("not the admin token")
    return OperatorPrincipal("admin")


def trust_local_operator() -> OperatorPrincipal:
    """Return the operator WITHOUT asking for a credential: for a command that has opened the data directory itself."""
    return OperatorPrincipal("local")


def trust_the_hub(part: str) -> OperatorPrincipal:
    """Return the hub itself as an operator, WITHOUT a credential: for what a part does by itself as it was told."""
    return OperatorPrincipal(part)


def _refuse(detail: str) -> AuthenticationFailed:
    return AuthenticationFailed("the credential was not accepted", detail=detail)


def _own_keys(known: KnownIdentity | None) -> SymmetricKeys | None:
    if known is None or not known.enabled or known.credentials.kind is not CredentialKind.SAS:
        return None
    return known.credentials.keys


def _thumbprints_of(known: KnownIdentity | None) -> Thumbprints | None:
    if known is None or not known.enabled or known.credentials.kind is not CredentialKind.SELF_SIGNED:
        return None
    return known.credentials.thumbprints


def _has_key(keys: SymmetricKeys | None, who: DevicePrincipal | ServicePrincipal | Remembered) -> bool:
    return keys is not None and any(hmac.compare_digest(key_digest(key), who.key_digest) for key in keys)


def _may_connect(policy: KnownPolicy | None, principal: DevicePrincipal) -> bool:
    return policy is not None and Right.DEVICE_CONNECT in policy.rights and _has_key(policy.keys, principal)
