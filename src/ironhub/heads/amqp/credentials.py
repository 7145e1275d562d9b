"""Who one connection has shown to be, and what rests on it.

What it protects: a link works only while a credential that opens it is good. A token that ends, a policy that changes
and a device that is disabled end the links that rest on them, and nothing else. A token is kept as long as it counts,
so that every device it stands for is asked of the gate anew; it leaves this module only to go there.
"""

import logging
from collections.abc import Collection, Iterator
from typing import ClassVar, Final, Protocol

from ironhub.access.model import WHOLE_HUB, Permission, PermissionDenied
from ironhub.access.service import authorise
from ironhub.core.errors import HubError
from ironhub.core.ids import Identity
from ironhub.dialects.azure.amqp_login import parse_login
from ironhub.heads.amqp.credential import AnyCredential, DeviceCredential, ServiceCredential, Shown
from ironhub.heads.amqp.services import AmqpServices
from ironhub.heads.channel import Channel
from ironhub.identity.audience import covers, identity_of, identity_path, parse_audience
from ironhub.identity.model import AuthenticationFailed, DeviceClaim, Right, ServicePrincipal
from ironhub.identity.sas import TokenRejected, UnverifiedToken, parse_sas_token
from ironhub.messaging.sessions.ports import HUB_STOPS, TAKEN_OVER
from ironhub.wire.amqp import IncomingLink, OutgoingLink
from ironhub.wire.amqp.conditions import DETACH_FORCED, UNAUTHORIZED_ACCESS
from ironhub.wire.amqp.errors import Error

log: Final = logging.getLogger(__name__)

RIGHT_ENDED: Final = "its right has ended"
EXPIRED: Final = "its token has expired"
"""The reason for an end that was announced by the token itself."""
AGAIN: Final = "Connect again with a credential that is good: its policy, key and right as they are now."
_MAX_WAYS: Final = 4
"""Policy tokens of one connection that are tried for one device."""


class TooManyAudiences(HubError):
    """One connection shows more identities and policies than it may."""

    code: ClassVar[str] = "link.too_many_identities"
    status: ClassVar[int] = 429
    next_step: ClassVar[str] = "Let the gateway spread its devices over several connections."


class Holder(Protocol):
    """The connection that credentials belong to, as they see it."""

    @property
    def channel(self) -> Channel:
        """Where a certificate was shown."""

    @property
    def hostname(self) -> str:
        """The host it asked for, unchecked; perhaps empty."""

    def admitted(self) -> None:
        """Something good was shown or renewed: it is no stranger, and the next expiry may be another."""

    def dismiss(self, links: Collection[IncomingLink | OutgoingLink], error: Error) -> None:
        """See `Peer.dismiss`."""

    def close(self, error: Error | None = None) -> None:
        """See `Peer.close`."""

    def hang_up(self) -> None:
        """Close without a CLOSE, once what was said before is sent."""


class Credentials:
    """All that one connection has shown."""

    __slots__ = ("_devices", "_held", "_holder", "_hub", "_over", "_services")

    def __init__(self, hub: AmqpServices, holder: Holder) -> None:
        self._hub = hub
        self._holder = holder
        self._devices: dict[Identity, DeviceCredential] = {}
        self._services: dict[tuple[str, str], ServiceCredential] = {}
        """By policy and by what its token was signed for, both in lower case."""
        self._held: dict[IncomingLink | OutgoingLink, AnyCredential] = {}
        self._over = False

    def __len__(self) -> int:
        return len(self._devices) + len(self._services)

    async def put(self, token: str) -> AnyCredential:
        """Take a token (CBS), or renew with it what was shown for the same audience.

        Raises:
            AuthenticationFailed: it is not good. TooManyAudiences.
        """
        unverified = parse_sas_token(token)
        if unverified.policy is not None:
            return await self._put_service(Shown(_host_of(unverified), token))
        audience = parse_audience(unverified.resource)
        identity = None if audience is None else identity_of(audience.path)
        if audience is None or identity is None:
            raise TokenRejected(f"signed for {unverified.resource[:300]!r}, which is no device")
        return await self._put_device(identity, Shown(audience.host, token))

    async def plain(self, username: str, password: str) -> AnyCredential:
        """Take the user name and password of SASL PLAIN. Raises AuthenticationFailed."""
        who = parse_login(username, self._hub.names)
        unverified = parse_sas_token(password)
        if isinstance(who, Identity):
            return await self._put_device(who, Shown(_host_of(unverified), password))
        if unverified.policy is None or unverified.policy.lower() != who.lower():
            raise TokenRejected(f"not a token of the policy {who[:200]!r}")
        return await self._put_service(Shown(_host_of(unverified), password))

    async def device(self, identity: Identity) -> DeviceCredential:
        """Return what shows that the peer is `identity`: its own token, a policy's token that covers it, or the
        certificate of the TLS handshake. The gate is asked anew unless no right has changed since it was last asked.

        Raises:
            AuthenticationFailed: nothing good was shown. TooManyAudiences.
        """
        found = self._devices.get(identity)
        if found is not None and self._stands(found):
            return found
        refusal = AuthenticationFailed("the credential was not accepted", detail="nothing was shown for this device")
        for shown in tuple(self._ways(identity)):
            try:
                return await self._put_device(identity, shown)
            except AuthenticationFailed as error:
                refusal = error
        known = self._devices.get(identity)
        if known is not None and not known.links:
            self._forget(known)
        raise refusal

    def service(self, permission: Permission, *, near: str = "") -> ServiceCredential:
        """Return a back end's credential that allows `permission` over the whole hub.

        Args:
            near: the path the link is for ("/messages/events/ConsumerGroups/a/Partitions/0"): where several allow it,
                the one that was signed for the most specific part around it is taken, so that its renewal counts.

        Raises:
            AuthenticationFailed: no policy's token was shown. PermissionDenied: none of those shown allows it.
        """
        refusal: HubError = AuthenticationFailed(
            "the credential was not accepted", detail="no policy's token was shown"
        )
        best: ServiceCredential | None = None
        for credential in self._services.values():
            if credential.principal.expires_at <= self._hub.clock.now():
                continue
            try:
                authorise(credential.principal, permission, WHOLE_HUB)
            except PermissionDenied as error:
                refusal = error
                continue
            if best is None or _fitness(credential, near) > _fitness(best, near):
                best = credential
        if best is None:
            raise refusal
        return best

    def end(self, credential: AnyCredential, reason: str) -> None:
        """It is no longer good: forget it and dismiss its links (unauthorized-access; detach-forced for TAKEN_OVER).

        The connection is closed when no link is left that keeps it open, or when the hub stops. Harmless when it is
        over. A device session's `end` is this call.
        """
        if not self._knows(credential):
            return
        resting = self._resting(credential)
        links = [link for each in resting for link in each.links]
        for each in resting:
            each.revoked = reason not in (HUB_STOPS, TAKEN_OVER)
            self._forget(each)
        if reason == HUB_STOPS:
            # No CLOSE: the Node SDK would wait 45 s for answers that cannot come, and reconnect only then.
            self._holder.hang_up()
            return
        if isinstance(credential, ServiceCredential):  # a device's session tells of itself
            told = {"policy": credential.principal.policy, "reason": reason}
            log.info("amqp_back_end_ended", extra={**told, "peer": self._holder.channel.peer_address})
        error = _error_for(reason)
        if links:
            self._holder.dismiss(links, error)
        elif not len(self):
            self._holder.close(error)

    def next_expiry(self) -> float | None:
        """Return when the next one ends, seconds since the epoch; None: none does."""
        ends = (each.expires_at for each in self._all())
        return min((at for at in ends if at is not None), default=None)

    def expire(self, now: float) -> None:
        """End those whose time is over."""
        for each in self._all():
            if each.expires_at is not None and each.expires_at <= now:
                self.end(each, EXPIRED)

    def lost(self) -> None:
        """The connection is over: nothing is watched over any more."""
        self._over = True
        for credential in self._all():
            self._forget(credential)

    # What one of them tells.

    def held(self, credential: AnyCredential, link: IncomingLink | OutgoingLink) -> None:
        """See `Keeper.held`."""
        if not self._knows(credential):
            raise AuthenticationFailed("the credential was not accepted", detail="it ended while the link was opened")
        credential.links[link] = None
        self._held[link] = credential

    def drop(self, link: IncomingLink | OutgoingLink) -> None:
        """See `Keeper.drop`."""
        credential = self._held.pop(link, None)
        if credential is not None:
            del credential.links[link]
            if credential.is_passing and not credential.links:
                self._forget(credential)

    # Steps.

    async def _put_service(self, shown: Shown) -> ServiceCredential:
        judged_at = self._hub.backends.notices
        principal = await self._hub.gate.admit_service(shown.token)
        audience = _audience_of(principal)
        credential = self._services.get(audience)
        if credential is not None and self._is_less(principal, credential):
            self.end(credential, RIGHT_ENDED)
            credential = None
        if credential is None:
            self._make_room()
            credential = ServiceCredential(self, shown, principal, judged_at)
            if not self._over:
                self._services[audience] = credential
        else:
            credential.renew(shown, principal, judged_at)
        if not self._over:
            self._hub.backends.enter(credential, judged_at=judged_at)
            self._holder.admitted()
        await self._renew_devices(credential)
        return credential

    def _is_less(self, principal: ServicePrincipal, before: ServiceCredential) -> bool:
        """Tell whether something rests on rights that `principal`, of a new token, does not have any more.

        Whoever judges the live ones may come only when the new token is in place, and find nothing wrong with it.
        """
        return not before.principal.rights <= principal.rights and any(each.links for each in self._resting(before))

    async def _renew_devices(self, policy: ServiceCredential) -> None:
        """Let the devices that rest on a policy's token rest on the new one."""
        for each in tuple(self._devices.values()):
            if each.shown.source is policy:
                try:
                    await self._put_device(each.principal.identity, policy.shown._replace(source=policy))
                except AuthenticationFailed:
                    self.end(each, RIGHT_ENDED)

    async def _put_device(self, identity: Identity, shown: Shown) -> DeviceCredential:
        judged_at = self._hub.sessions.notices
        claim = DeviceClaim(identity, shown.host, shown.token)
        principal = await self._hub.gate.admit_device(claim, self._holder.channel.peer_chain)
        credential = self._devices.get(identity)
        if credential is None:
            self._make_room()
            credential = DeviceCredential(self, shown, principal, judged_at)
            if not self._over:
                self._devices[identity] = credential
        else:
            credential.renew(shown, principal, judged_at)
        if not self._over:
            self._holder.admitted()
        return credential

    def _stands(self, credential: DeviceCredential) -> bool:
        """Tell whether the gate would say the same again: nothing has changed in the hub, and the token is not over.

        What a certificate shows ends by its own dates, which nobody has written down: the gate is asked again.
        """
        ends = credential.expires_at
        if ends is None or ends <= self._hub.clock.now():
            return False
        return credential.judged_at == self._hub.sessions.notices

    def _ways(self, identity: Identity) -> Iterator[Shown]:
        """What the gate may be asked with for this device, the most particular first."""
        known = self._devices.get(identity)
        if known is not None and not known.is_passing:
            yield known.shown
        path = identity_path(identity)
        covering = (
            each
            for each in self._services.values()
            if Right.DEVICE_CONNECT in each.principal.rights and covers(each.principal.scope.rstrip("/"), path)
        )
        for each, _ in zip(covering, range(_MAX_WAYS), strict=False):
            yield each.shown._replace(source=each)
        if self._holder.channel.peer_chain:
            yield Shown(self._holder.hostname or next(iter(self._hub.names), ""), None)

    def _make_room(self) -> None:
        if len(self) < self._hub.settings.max_audiences:
            return
        for each in tuple(self._devices.values()):
            if each.is_passing and not each.links:
                self._forget(each)
        if len(self) >= self._hub.settings.max_audiences:
            raise TooManyAudiences("this connection has shown as many identities as it may")

    def _all(self) -> list[AnyCredential]:
        return [*self._services.values(), *self._devices.values()]

    def _resting(self, credential: AnyCredential) -> list[AnyCredential]:
        """It, and the devices that rest on it."""
        devices = self._devices.values() if isinstance(credential, ServiceCredential) else ()
        return [credential, *(each for each in devices if each.shown.source is credential)]

    def _knows(self, credential: AnyCredential) -> bool:
        """Cheap however many there are: it is asked for each link, and for each of all that end together."""
        if isinstance(credential, ServiceCredential):
            return self._services.get(_audience_of(credential.principal)) is credential
        if isinstance(credential, DeviceCredential):
            return self._devices.get(credential.principal.identity) is credential
        return False

    def _forget(self, credential: AnyCredential) -> None:
        if isinstance(credential, ServiceCredential):
            self._services.pop(_audience_of(credential.principal), None)
            self._hub.backends.leave(credential)
        elif isinstance(credential, DeviceCredential):
            self._devices.pop(credential.principal.identity, None)
        for link in credential.links:
            self._held.pop(link, None)
        credential.links.clear()


def _host_of(token: UnverifiedToken) -> str:
    audience = parse_audience(token.resource)
    return "" if audience is None else audience.host


def _audience_of(principal: ServicePrincipal) -> tuple[str, str]:
    return principal.policy.lower(), principal.scope.lower()


def _fitness(credential: ServiceCredential, near: str) -> tuple[bool, int, float]:
    scope = credential.principal.scope.lower()
    around = covers(scope.rstrip("/"), near.lower())
    return around, len(scope) if around else 0, credential.principal.expires_at


def _error_for(reason: str) -> Error:
    if reason == TAKEN_OVER:
        return Error(DETACH_FORCED, reason)
    return Error(UNAUTHORIZED_ACCESS, f"{reason}. {AGAIN}")
