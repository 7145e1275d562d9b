"""Direct methods: hand a call to the connected device and wait for its own answer, never for another's."""

import asyncio
from dataclasses import dataclass
from typing import Final

from ironhub.access.model import Grant, Permission
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import Identity
from ironhub.core.strict_json import JsonInvalid, decode_json
from ironhub.core.tally import Tally
from ironhub.messaging.methods.model import (
    MAX_PAYLOAD,
    DeviceConnectionLost,
    DeviceNotOnline,
    MethodAnswer,
    MethodAnswerInvalid,
    MethodCall,
    MethodTimeout,
    TooManyCalls,
)
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.registry.model import DeviceNotFound, ModuleNotFound
from ironhub.registry.ports import DeviceStore

MAX_TIMEOUT: Final = 300.0
MAX_CALLS_PER_DEVICE: Final = 64
MAX_NAME: Final = 100
_NAME_FORBIDDEN: Final = frozenset('$()<>@,;:\\"/[]?={} \t')


@dataclass(slots=True)
class _Waiting:
    """One caller. The outcome is a value, also when it is an error: no error can be left behind that nobody reads."""

    outcome: asyncio.Future[MethodAnswer | HubError]
    session: LiveSession | None = None
    """Who has the call; None while the device is awaited."""


class MethodService:
    """Calls in flight, each known by the device and the request id together."""

    def __init__(self, sessions: LiveSessions, devices: DeviceStore) -> None:
        self._sessions = sessions
        self._devices = devices
        self._calls: dict[Identity, dict[str, _Waiting]] = {}
        self._next_id = 0
        self.tally = Tally()
        """"answered", and the code of each failure."""

    async def invoke(self, grant: Grant, call: MethodCall) -> MethodAnswer:
        """Return what `grant.identity` answered.

        Raises:
            DeviceNotFound, ModuleNotFound, InvalidArgument, TooManyCalls; DeviceNotOnline: not there, or deaf, for the
            whole connect time-out; DeviceConnectionLost; MethodTimeout; MethodAnswerInvalid.
        """
        grant.require(Permission.METHOD_INVOKE)
        check_call(call)
        identity = grant.identity
        await self._must_exist(identity)
        calls = self._calls.setdefault(identity, {})
        if len(calls) >= MAX_CALLS_PER_DEVICE:
            raise TooManyCalls(f"{MAX_CALLS_PER_DEVICE} calls wait for {identity} already")
        self._next_id += 1
        request_id = f"{self._next_id:x}"
        calls[request_id] = waiting = _Waiting(asyncio.get_running_loop().create_future())
        try:
            answer = await self._call(identity, request_id, waiting, call)
        except HubError as error:
            self.tally.add(error.code)
            raise
        else:
            self.tally.add("answered")
            return answer
        finally:
            del calls[request_id]
            if not calls:
                del self._calls[identity]

    def answer(self, grant: Grant, request_id: str, answer: MethodAnswer) -> None:
        """The device answered; an answer nobody waits for is dropped."""
        grant.require(Permission.METHOD_ANSWER)
        waiting = self._calls.get(grant.identity, {}).get(request_id)
        if waiting is None or waiting.session is None or waiting.outcome.done():
            return
        try:
            waiting.outcome.set_result(_checked(answer))
        except MethodAnswerInvalid as error:
            waiting.outcome.set_result(error)

    def lost(self, identity: Identity) -> None:
        """A connection of the device ended: calls it had got fail now, not at their time-out.

        Call it once the session has left `LiveSessions`; calls that went to one that took its place wait on.
        """
        current = self._sessions.of(identity)
        for waiting in self._calls.get(identity, {}).values():
            if waiting.session not in (None, current) and not waiting.outcome.done():
                error = DeviceConnectionLost("The connection ended before the device answered.")
                waiting.outcome.set_result(error)

    async def _call(self, identity: Identity, request_id: str, waiting: _Waiting, call: MethodCall) -> MethodAnswer:
        waiting.session = await self._sessions.wait_for_methods(identity, call.connect_timeout)
        if waiting.session is None:
            raise DeviceNotOnline("Timed out waiting for device to connect.", waited=call.connect_timeout)
        waiting.session.call_method(request_id, call.name, call.payload or b"null")
        try:
            async with asyncio.timeout(call.response_timeout):
                outcome = await waiting.outcome
        except TimeoutError as error:
            raise MethodTimeout("Timed out waiting for the response from device.") from error
        if isinstance(outcome, HubError):
            raise outcome
        return outcome

    async def _must_exist(self, identity: Identity) -> None:
        if await self._devices.known_identity(identity) is not None:
            return
        if identity.module_id is not None and await self._devices.get_device(identity.device_id) is not None:
            raise ModuleNotFound(f"{identity} is not registered")
        raise DeviceNotFound(f"{identity.device_id} is not registered")


def check_call(call: MethodCall) -> None:
    """Refuse a call that no device could get. Raises InvalidArgument."""
    if not 1 <= len(call.name) <= MAX_NAME or not call.name.isascii() or not call.name.isprintable():
        raise InvalidArgument(f"a method name has 1 to {MAX_NAME} printable ASCII characters")
    if _NAME_FORBIDDEN.intersection(call.name):
        raise InvalidArgument('a method name has none of $ ( ) < > @ , ; : \\ " / [ ] ? = { } space and tab')
    if len(call.payload) > MAX_PAYLOAD:
        raise InvalidArgument(f"a method payload has at most {MAX_PAYLOAD} bytes")
    if not 5 <= call.response_timeout <= MAX_TIMEOUT:
        raise InvalidArgument(f"the response time-out is 5 to {MAX_TIMEOUT:.0f} seconds")
    if not 0 <= call.connect_timeout <= MAX_TIMEOUT:
        raise InvalidArgument(f"the connect time-out is 0 to {MAX_TIMEOUT:.0f} seconds")


def _checked(answer: MethodAnswer) -> MethodAnswer:
    """Devices may answer with nothing at all: that is null."""
    payload = answer.payload.strip() or b"null"
    if len(payload) > MAX_PAYLOAD:
        raise MethodAnswerInvalid(f"the device answered with more than {MAX_PAYLOAD} bytes")
    try:
        decode_json(payload)
    except JsonInvalid as error:
        raise MethodAnswerInvalid("the device did not answer with JSON") from error
    return MethodAnswer(answer.status, payload)
