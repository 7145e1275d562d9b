"""Which back ends are connected to this node, and an end for those whose right has ended.

What it protects: promise 2, "revoked is gone", for connections that live on after their token was verified. Every
notice that a policy changed leads to those that rest on it; whoever would not be admitted again is ended.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ironhub.core.bus import Bus, Notice, PolicyChanged
from ironhub.identity.model import ServicePrincipal
from ironhub.messaging.sessions.judging import RIGHT_ENDED, Judgements, in_time
from ironhub.messaging.sessions.ports import HUB_STOPS

Judge = Callable[[ServicePrincipal], Awaitable[bool]]
"""Whether the principal would still be admitted, with all the rights it has."""


class BackendSession(Protocol):
    """What a connection does by one policy's token. Implemented by the protocol heads."""

    @property
    def principal(self) -> ServicePrincipal:
        """Whose it is, as the gate found at the last renewal."""

    def end_backend(self, principal: ServicePrincipal, reason: str) -> None:
        """End what rests on `principal`; nothing happens when another one has taken its place since."""


_Judged = tuple[BackendSession, ServicePrincipal]
"""A session, and whose it was when its judgement began."""


class LiveBackends:
    """The back ends' sessions of this node, by policy."""

    def __init__(self, bus: Bus, judge: Judge) -> None:
        self._by_policy: dict[str, dict[BackendSession, None]] = {}
        self._policy_of: dict[BackendSession, str] = {}
        self._judge = judge
        self._judgements: Judgements[_Judged] = Judgements(self._is_good, _end)
        self._stopped = False
        self.notices = 0
        """How many changes of policies this node heard of."""
        bus.subscribe(self._notice)

    def __len__(self) -> int:
        return len(self._policy_of)

    def enter(self, session: BackendSession, *, judged_at: int) -> None:
        """Watch over it until `leave`. One whose principal changed (a renewed token) enters again.

        Args:
            judged_at: `notices` as it was before the gate judged the token; if a policy changed meanwhile, the session
                is judged again.
        """
        principal = session.principal
        if self._stopped:
            session.end_backend(principal, HUB_STOPS)
            return
        self.leave(session)
        policy = self._policy_of[session] = principal.policy.lower()
        self._by_policy.setdefault(policy, {})[session] = None
        if judged_at != self.notices:
            self._judge_all([session])

    def leave(self, session: BackendSession) -> None:
        """It is over; harmless if it was not here."""
        policy = self._policy_of.pop(session, None)
        if policy is None:
            return
        sessions = self._by_policy[policy]
        del sessions[session]
        if not sessions:
            del self._by_policy[policy]

    def end_all(self) -> None:
        """End every session, and each that would still enter: the hub stops."""
        self._stopped = True
        for session in tuple(self._policy_of):
            session.end_backend(session.principal, HUB_STOPS)

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, PolicyChanged):
            self.notices += 1
            self._judge_all(list(self._by_policy.get(notice.name.lower(), ())))

    def _judge_all(self, sessions: Sequence[BackendSession]) -> None:
        self._judgements.begin([(session, session.principal) for session in sessions])

    async def _is_good(self, judged: _Judged) -> bool:
        return await in_time(self._judge(judged[1]))


def _end(judged: _Judged) -> None:
    session, principal = judged
    session.end_backend(principal, RIGHT_ENDED)
