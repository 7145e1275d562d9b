"""One peer on MQTT, from its first byte to its last: owns the channel and the clock, and decides nothing itself.

What it protects: until the gate has spoken there is no DeviceSession, so there is nothing a stranger could reach.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import ClassVar, Final

from ironhub.core.errors import HubError, Unavailable
from ironhub.core.ids import Identity
from ironhub.dialects.azure.topics import will_of
from ironhub.dialects.azure.username import ConnectClaim, decode_connect
from ironhub.heads.admission import Admission, delay_takeover
from ironhub.heads.listener import Channel
from ironhub.heads.mqtt.device import DeviceSession
from ironhub.heads.mqtt.services import MqttServices
from ironhub.identity.model import AuthenticationFailed, DeviceClaim, DevicePrincipal
from ironhub.wire.mqtt import LEVEL_4, Closed, Connect, Event, ReasonCode, ServerSession

log: Final = logging.getLogger(__name__)


class ProtocolLevelRefused(HubError):
    """The client speaks another version of MQTT than this dialect does."""

    code: ClassVar[str] = "mqtt.level_refused"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Let the client speak MQTT 3.1.1 (protocol level 4)."


class MqttConversation:
    """Feeds a wire session from a channel, lets the gate judge its CONNECT, and hands the rest to a DeviceSession."""

    __slots__ = ("_channel", "_closed", "_device", "_hub", "_paused", "_timer", "wire")

    def __init__(self, channel: Channel, hub: MqttServices) -> None:
        self._channel = channel
        self._hub = hub
        self._closed = False
        self._paused = False
        self._device: DeviceSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.wire = ServerSession(hub.settings.limits, hub.clock.monotonic())

    @property
    def channel(self) -> Channel:
        """The way to the peer."""
        return self._channel

    @property
    def closed(self) -> bool:
        """Nothing can be sent any more."""
        return self._closed

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer, cut anywhere."""
        if not self._closed:
            self._handle(self.wire.receive(data, self._hub.clock.monotonic()))
            self.adjust_reading()
            self.flush()

    def adjust_reading(self) -> None:
        """Read on only while what was read before finds room: a fast device waits, nobody else does."""
        device = self._device
        full = not self.wire.wants_input or (device is not None and device.overloaded)
        if full is not self._paused and not self._closed:
            self._paused = full
            if full:
                self._channel.pause_reading()
            else:
                self._channel.resume_reading()

    def made_room(self) -> None:
        """Read on, when reading was paused and may go on."""
        if self._paused:
            self.adjust_reading()

    def flush(self) -> None:
        """Send what the wire session has to say."""
        if not self._closed and (data := self.wire.to_send()):
            self._channel.send(data)

    def resumed(self) -> None:
        """The peer reads again."""
        if self._device is not None:
            self._device.resumed()

    def lost(self) -> None:
        """The connection is over, whoever ended it."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        device, self._device = self._device, None  # they hold each other: nothing is left for the collector of cycles
        if device is not None:
            device.lost()

    def fail(self, code: str, message: str) -> None:
        """End the connection because of what the peer did (or the store could not do); it learns nothing more."""
        if self._closed:
            return
        identity = self._device.principal.identity if self._device else None
        log.info(
            "mqtt_session_refused",
            extra={"code": code, "reason": message, "device": str(identity or ""), "peer": self._channel.peer_address},
        )
        self._hub.tally.add(f"refused:{code}")
        self.close()

    def close(self) -> None:
        """Flush and close in order."""
        if not self._closed:
            self.flush()
            self._channel.close()
            self.lost()

    def abort(self) -> None:
        """Close at once: what has lost its right gets not one byte more."""
        if not self._closed:
            self._channel.abort()
            self.lost()

    def arm(self) -> None:
        """Set the one timer of this conversation to what ends first: the keep-alive or the credential."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed or self._device is None or self.wire.next_timeout is None:
            return
        silence = self.wire.next_timeout - self._hub.clock.monotonic()
        delay = max(0.0, min(silence, self._device.seconds_left()))
        self._timer = asyncio.get_running_loop().call_later(delay, self.on_timer)

    def on_timer(self) -> None:
        """The time of `arm` has come: end the session if it is due, else look again later."""
        self._timer = None
        if self._closed or self._device is None:
            return
        if self._device.seconds_left() <= 0:
            self._device.expire()
            return
        if self.wire.on_timeout(self._hub.clock.monotonic()):
            log.info("mqtt_keep_alive_ended", extra={"device": str(self._device.principal.identity)})
            self.abort()
            return
        self.arm()

    def _handle(self, events: Sequence[Event]) -> None:
        """A bad peer costs its own session, never the head."""
        try:
            if self._device is not None:
                self._device.handle(events)
            else:
                self._handle_stranger(events)
        except HubError as refusal:
            self.fail(refusal.code, str(refusal))

    def _handle_stranger(self, events: Sequence[Event]) -> None:
        """Before the verdict only a CONNECT comes out of the wire session; it comes once."""
        for event in events:
            if isinstance(event, Connect):
                self._hub.background.spawn(self._open(event, self._channel.peer_chain))
            elif isinstance(event, Closed):
                self.fail("mqtt.protocol_violation", event.reason)

    async def _open(self, connect: Connect, chain: Sequence[bytes]) -> None:
        """Ask the gate, and open the session or refuse it."""
        if connect.level != LEVEL_4:
            self._refuse(
                ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, ProtocolLevelRefused("only MQTT 3.1.1 is spoken here")
            )
            return
        try:
            claim = decode_connect(connect.client_id, connect.username)
            if connect.will is not None:
                will_of(connect.will.topic, claim.identity)
            sessions = self._hub.sessions
            admission = await Admission.begin(sessions, lambda: self._admitted(claim, connect, chain))
            before = sessions.of(claim.identity)
            await delay_takeover(before, self._hub.clock, self._hub.settings.takeover_delay)
            stored = await self._stored_subscriptions(claim.identity, connect)
            await admission.renew(lambda: self._closed)
        except Unavailable as error:
            self._refuse(ReasonCode.SERVER_UNAVAILABLE, error)
            return
        except HubError as error:
            self._refuse(ReasonCode.NOT_AUTHORIZED, error)
            return
        except Exception:
            log.exception("mqtt_connect_failed", extra={"peer": self._channel.peer_address})
            self._refuse(ReasonCode.SERVER_UNAVAILABLE, Unavailable("the hub could not judge the connection"))
            return
        if not self._closed:
            device = DeviceSession(self, self._hub, admission.found, claim, connect, stored)
            self._begin(device, connect, admission.judged_at)

    async def _admitted(self, claim: ConnectClaim, connect: Connect, chain: Sequence[bytes]) -> DevicePrincipal:
        token = None
        if connect.password is not None:
            try:
                token = connect.password.decode("ascii")
            except UnicodeDecodeError as error:
                raise AuthenticationFailed("unauthorized", detail="the password is not ASCII") from error
        device_claim = DeviceClaim(claim.identity, claim.host, token or None)
        return await self._hub.gate.admit_device(device_claim, chain)

    async def _stored_subscriptions(self, identity: Identity, connect: Connect) -> dict[str, int] | None:
        stored = await self._hub.store.get_session(identity)
        if stored is not None and connect.clean_start:
            await self._hub.store.delete_session(identity)
            return None
        return None if stored is None else stored.subscriptions

    def _begin(self, device: DeviceSession, connect: Connect, judged_at: int) -> None:
        """A bug half-way must not leave a connection that nobody ends: its deadline is over, its timer not yet set."""
        try:
            self._accept(device, connect, judged_at)
        except Exception:
            log.exception("mqtt_connect_failed", extra={"peer": self._channel.peer_address})
            self.abort()

    def _accept(self, device: DeviceSession, connect: Connect, judged_at: int) -> None:
        hub = self._hub
        self._channel.identified()
        self._device = device
        hub.sessions.enter(device, judged_at=judged_at, model_id=device.model_id)
        if self._closed:
            return  # the hub stops
        hub.tally.add("accepted")
        events = self.wire.accept(device.resumed_session, None, hub.clock.monotonic())
        self.flush()
        device.opened()
        if not self._closed:
            self._handle(events)
        self.adjust_reading()
        self.flush()
        self.arm()

    def _refuse(self, code: ReasonCode, error: HubError) -> None:
        """A refused device gets a CONNACK that says so, then the end."""
        log.info(
            "mqtt_connect_refused",
            extra={"code": error.code, "detail": error.detail or str(error), "peer": self._channel.peer_address},
        )
        self._hub.tally.add(f"refused:{error.code}")
        if not self._closed:
            self.wire.refuse(int(code))
            self.close()
