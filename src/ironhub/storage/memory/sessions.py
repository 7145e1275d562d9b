"""Persistent sessions in memory."""

from ironhub.core.ids import Identity
from ironhub.messaging.sessions.model import StoredSession
from ironhub.storage.memory.state import State


class MemorySessionStore:
    """A SessionStore in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def get_session(self, identity: Identity) -> StoredSession | None:
        """Return what the last connection left, or None."""
        return self._state.sessions.get(identity)

    async def put_session(self, session: StoredSession) -> None:
        """Store it, replacing what was there; dropped silently when the identity is gone."""
        if self._state.identity(session.identity) is not None:
            self._state.sessions[session.identity] = StoredSession(session.identity, dict(session.subscriptions))

    async def delete_session(self, identity: Identity) -> None:
        """Forget it; no error when there is none."""
        self._state.sessions.pop(identity, None)
