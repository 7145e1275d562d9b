"""Who is connected to this node: takeover by the newest, an end for those whose right has ended.

What it protects: promise 2, "revoked is gone". Every notice that a credential, a policy or an authority changed leads
to the sessions that may rest on it, and each of those is judged anew; whoever fails is ended.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from ironhub.core.bus import (
    AuthoritiesChanged,
    Bus,
    CommandQueued,
    CredentialsChanged,
    DesiredChanged,
    Notice,
    PolicyChanged,
)
from ironhub.core.ids import DeviceId, Identity
from ironhub.identity.model import DevicePrincipal, Proof
from ironhub.messaging.sessions.judging import RIGHT_ENDED, Judgements, in_time
from ironhub.messaging.sessions.ports import HUB_STOPS, TAKEN_OVER, LiveSession, PresenceSink

K = TypeVar("K")

log: Final = logging.getLogger(__name__)

PREPARATION_TIMEOUT: Final = 5.0
"""Seconds to read changed authorities, which takes long for huge revocation lists: that is nobody's lost right. Nobody
is admitted by the old ones meanwhile."""

Judge = Callable[[LiveSession], Awaitable[bool]]
"""Whether the session's credential would still be good if it came again now."""


class LiveSessions:
    """The connected devices and modules of this node, one session each."""

    def __init__(
        self,
        bus: Bus,
        presence: PresenceSink,
        judge: Judge,
        prepare: Callable[[], Awaitable[None]] | None = None,
        doubts: Callable[[DevicePrincipal], bool] | None = None,
    ) -> None:
        """Begin with nobody.

        Args:
            prepare: what takes its time, once for all, before certificates can be judged by changed authorities.
            doubts: tells, once prepared and at once, whom to judge first after the authorities changed.
        """
        self._sessions: dict[Identity, LiveSession] = {}
        self._modules: dict[DeviceId, set[Identity]] = {}
        self._policy_of: dict[Identity, str] = {}
        self._by_policy: dict[str, set[Identity]] = {}
        self._by_chain: set[Identity] = set()
        self._model_of: dict[Identity, str] = {}
        self._waiting: dict[Identity, set[asyncio.Event]] = {}
        self._judgements: Judgements[LiveSession] = Judgements(self._is_good, _end)
        self._presence = presence
        self._judge = judge
        self._prepare = prepare
        self._doubts = doubts
        self._preparation: asyncio.Task[None] | None = None
        self._stopped = False
        self.notices = 0
        """How many changes of credentials, policies and authorities this node heard of."""
        bus.subscribe(self._notice)

    def __len__(self) -> int:
        return len(self._sessions)

    def of(self, identity: Identity) -> LiveSession | None:
        """Return the session of a connected device or module, or None."""
        return self._sessions.get(identity)

    def enter(self, session: LiveSession, *, judged_at: int, model_id: str = "") -> None:
        """Make it the session of its identity; one that was there before is ended: the newest connection wins.

        A session whose principal changed (a renewed token) enters again.

        Args:
            judged_at: `notices` as it was before the gate judged the credential; if a right changed meanwhile, the
                session is judged again.
            model_id: the plug-and-play model that a new session announces. Where it is another one than before, a
                departure and an arrival are told.
        """
        if self._stopped:
            session.end(HUB_STOPS)
            return
        principal = session.principal
        identity = principal.identity
        before = self._sessions.get(identity)
        model_before = self._model_of.get(identity, "")
        if before is session:
            model_id = model_before
        if before is not None:
            self._forget(identity)
        self._sessions[identity] = session
        if identity.module_id is not None:
            self._modules.setdefault(identity.device_id, set()).add(identity)
        if principal.policy is not None:
            policy = self._policy_of[identity] = principal.policy.lower()
            self._by_policy.setdefault(policy, set()).add(identity)
        if principal.proof is Proof.CHAIN:
            self._by_chain.add(identity)
        if model_id:
            self._model_of[identity] = model_id
        if before is not None and model_id != model_before:
            self._presence.went(identity)
        if before is None or model_id != model_before:
            self._presence.came(identity, model_id)
        if judged_at != self.notices:
            self._rejudge((identity,))
        self.listens(identity)
        if before is not None and before is not session:
            before.end(TAKEN_OVER)

    def leave(self, session: LiveSession) -> None:
        """The session is over. Nothing happens when a newer one took its place."""
        identity = session.principal.identity
        if self._sessions.get(identity) is session:
            self._forget(identity)
            self._presence.went(identity)

    def listens(self, identity: Identity) -> None:
        """A session began to answer methods: whoever waits for that looks again."""
        for event in self._waiting.get(identity, ()):
            event.set()

    async def wait_for_methods(self, identity: Identity, timeout: float) -> LiveSession | None:
        """Return the session once it answers methods, or None after `timeout` seconds."""
        changed = asyncio.Event()
        self._waiting.setdefault(identity, set()).add(changed)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    session = self._sessions.get(identity)
                    if session is not None and session.answers_methods:
                        return session
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return None
        finally:
            waiting = self._waiting[identity]
            waiting.discard(changed)
            if not waiting:
                del self._waiting[identity]

    def end_all(self) -> None:
        """End every session, and each that would still enter: the hub stops."""
        self._stopped = True
        for session in tuple(self._sessions.values()):
            session.end(HUB_STOPS)

    def _forget(self, identity: Identity) -> None:
        del self._sessions[identity]
        self._by_chain.discard(identity)
        self._model_of.pop(identity, None)
        _discard(self._modules, identity.device_id, identity)
        policy = self._policy_of.pop(identity, None)
        if policy is not None:
            _discard(self._by_policy, policy, identity)

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, (CredentialsChanged, PolicyChanged, AuthoritiesChanged)):
            self.notices += 1
        match notice:
            case CredentialsChanged(identity, whole_device):
                self._rejudge((identity, *(self._modules.get(identity.device_id, ()) if whole_device else ())))
            case PolicyChanged(name):
                self._rejudge(self._by_policy.get(name.lower(), ()))
            case AuthoritiesChanged():
                if self._prepare is not None:
                    self._preparation = asyncio.get_running_loop().create_task(self._prepared(self._prepare))
                self._judgements.keep(self._rejudge_chains())
            case DesiredChanged(identity, version, patch):
                if session := self._sessions.get(identity):
                    session.offer_desired(version, patch)
            case CommandQueued(identity):
                if session := self._sessions.get(identity):
                    session.offer_commands()

    def _rejudge(self, identities: Iterable[Identity]) -> None:
        sessions = [session for identity in identities if (session := self._sessions.get(identity))]
        # Apart, so that nobody waits for authorities that nothing of theirs rests on.
        self._judgements.begin([session for session in sessions if session.principal.proof is not Proof.CHAIN])
        self._judgements.begin([session for session in sessions if session.principal.proof is Proof.CHAIN])

    async def _rejudge_chains(self) -> None:
        """Whom the change seems to strike comes first: all of a large fleet takes longer than the promised second."""
        if self._preparation is not None:
            await self._preparation
        sessions = [self._sessions[identity] for identity in self._by_chain]
        if self._doubts is not None:
            doubts = self._doubts
            sessions.sort(key=lambda session: not doubts(session.principal))
        self._judgements.begin(sessions)

    async def _is_good(self, session: LiveSession) -> bool:
        """A session that cannot be judged is ended: a right that cannot be shown is no right."""
        if session.principal.proof is Proof.CHAIN and self._preparation is not None:
            await self._preparation
        return await in_time(self._judge(session))

    async def _prepared(self, prepare: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(PREPARATION_TIMEOUT):
                await prepare()
        except Exception:
            log.exception("authorities_not_read")  # each judgement tries for itself, and is no right when it cannot


def _end(session: LiveSession) -> None:
    session.end(RIGHT_ENDED)


def _discard(index: dict[K, set[Identity]], key: K, identity: Identity) -> None:
    identities = index.get(key)
    if identities is not None:
        identities.discard(identity)
        if not identities:
            del index[key]
