"""One simulated machine on the network: its TLS connection, its MQTT session, and what it keeps while it is cut off."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, cast

import msgspec

from ironhub.app.simulator import talk
from ironhub.app.simulator.chance import Chance, mixed
from ironhub.app.simulator.model import Condition, Level, Machine, advance, read
from ironhub.app.simulator.plant import TOKEN_LIFETIME, Plant
from ironhub.app.simulator.surroundings import DAY, outage_ends
from ironhub.core.ids import identity
from ironhub.dialects.azure.device_topics import (
    CommandArrived,
    DesiredChanged,
    MethodCalled,
    TwinAnswered,
    feeds_wanted,
    get_twin_topic,
    heard,
    method_answer_topic,
    patch_reported_topic,
    username_of,
)
from ironhub.identity.sas import make_sas_token
from ironhub.wire.mqtt.client import (
    Accepted,
    ClientEvent,
    ClientLimits,
    ClientSession,
    ClientState,
    Refused,
    Subscribed,
)
from ironhub.wire.mqtt.events import Acknowledged, Closed
from ironhub.wire.mqtt.packets import Connect, Publish
from ironhub.wire.tls import TlsFailed
from ironhub.wire.tls.client import ClientEngine

KEEP_ALIVE: Final = 240
CLIENT_TYPE: Final = "ironhub-simulate"
MAX_WAIT: Final = 60.0
"""Seconds between two attempts to connect, at most."""
RESTART: Final = 3.0
"""Seconds a controller takes to start."""
PULSE: Final = 60.0
"""Seconds between two looks after the session, however seldom the machine sends."""
HELD_BACK: Final = 65_536
"""Bytes that wait to be read by the hub: then the machine sends nothing more."""
_LIMITS: Final = ClientLimits()
_LINK: Final = 7


class SimulatedMachine(asyncio.Protocol):
    """Lives from `start` to `stop`: a tick for each message, whether there is a connection or not."""

    __slots__ = (
        "_attempts",
        "_been_open",
        "_chance",
        "_condition",
        "_down_until",
        "_due",
        "_engine",
        "_flying",
        "_interval",
        "_key",
        "_looked_at",
        "_machine",
        "_meant",
        "_plant",
        "_reported",
        "_requests",
        "_retry",
        "_session",
        "_settled",
        "_told",
        "_topics",
        "_transport",
        "_twin_read",
        "_unsent",
        "_wake",
        "_was_open",
        "_who",
    )

    def __init__(self, plant: Plant, machine: Machine, key: bytes) -> None:
        """`key`: what the device is registered with."""
        self._plant = plant
        self._machine = machine
        self._key = key
        self._who = identity(machine.device_id)
        self._topics = talk.telemetry_topics(self._who)
        self._chance = Chance(mixed(machine.seed, machine.number, _LINK))
        self._condition: Condition = machine.when_new(plant.now())
        self._interval = plant.interval
        self._unsent: deque[tuple[str, bytes]] = deque()
        self._flying: dict[int, tuple[str, bytes]] = {}
        self._told: dict[str, Any] = {}
        self._reported: dict[str, Any] = {}
        self._requests = 0
        self._attempts = 0
        self._been_open = False
        self._was_open = False
        self._twin_read = False
        self._meant = False  # that the connection ends: by the simulated network, or by a restart
        self._down_until = 0.0
        self._due = 0.0
        self._looked_at = plant.network_now()
        self._transport: asyncio.Transport | None = None
        self._engine: ClientEngine | None = None
        self._session: ClientSession | None = None
        self._settled: asyncio.Event | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None

    # The simulation calls.

    def start(self) -> None:
        """Ask for a connection, and send from some moment within the interval on: a fleet is not in step."""
        self._sleep_for(self._chance.share() * self._interval)
        self._plant.waiting.put_nowait(self)

    @property
    def awaits(self) -> bool:
        """Whether the hub owes an acknowledgement."""
        return bool(self._flying) and self._session is not None

    @property
    def linked(self) -> bool:
        """Whether there is a connection."""
        return self._transport is not None

    def rest(self) -> None:
        """Measure and send nothing more, and make no connection."""
        for timer in (self._wake, self._retry):
            if timer is not None:
                timer.cancel()
        self._wake = self._retry = None
        self._unsent.clear()

    def stop(self) -> None:
        """Take leave of the hub."""
        self.rest()
        session = self._session
        if session is not None and session.state is ClientState.OPEN:
            session.disconnect()
            self._flush()
        if self._transport is not None:
            self._transport.close()

    async def connect(self, patience: float) -> None:
        """Try to connect once; returns when that has succeeded or failed, after `patience` seconds at the latest."""
        if self._plant.network_now() < self._down_until:
            self._try_again()
            return
        settled = self._settled = asyncio.Event()
        target = self._plant.target
        try:
            async with asyncio.timeout(patience):
                await self._plant.loop.create_connection(lambda: self, target.address, target.port)
                await settled.wait()
        except (OSError, TimeoutError) as error:
            self._plant.last_refusal = str(error) or "the hub does not answer"
            self._settled = None
            if self._transport is not None:
                self._transport.abort()  # connection_lost counts it
            else:
                self._plant.counts.failures += 1
                self._try_again()

    # The transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The hub was reached: begin TLS, and MQTT behind it."""
        self._transport = cast("asyncio.Transport", transport)
        plant = self._plant
        token = make_sas_token(
            f"{plant.target.name}/devices/{self._who.device_id}", self._key, int(plant.clock.now()) + TOKEN_LIFETIME
        )
        connect = Connect(
            str(self._who),
            clean_start=True,
            keep_alive=KEEP_ALIVE,
            username=username_of(self._who, plant.target.name, CLIENT_TYPE),
            password=token.encode(),
        )
        self._engine = ClientEngine(plant.tls, plant.target.name)
        self._session = ClientSession(connect, _LIMITS, plant.loop.time())
        self._write()

    def data_received(self, data: bytes) -> None:
        """Ciphertext came."""
        engine, session = self._engine, self._session
        if engine is None or session is None:
            return
        try:
            plaintext = engine.receive(data)
        except TlsFailed as failure:
            self._plant.last_refusal = f"TLS: {failure}"
            self._cut()
            return
        for event in session.receive(plaintext) if plaintext else ():
            if session.state is ClientState.CLOSED and not isinstance(event, Refused | Closed):
                break  # one of them made us leave
            self._on_event(session, event)
        self._flush()
        if engine.peer_closed or session.state is ClientState.CLOSED:
            self._cut()

    def connection_lost(self, _error: Exception | None) -> None:
        """It is over, whoever ended it: what was not acknowledged is sent again later."""
        counts = self._plant.counts
        if self._session is not None and self._was_open:
            counts.connected -= 1
        if self._wake is not None and not self._meant:
            counts.failures += 1
        self._was_open = self._meant = False
        self._transport = self._engine = self._session = None
        self._unsent.extendleft(reversed(self._flying.values()))
        self._flying.clear()
        self._settle()
        self._try_again()

    # Steps.

    def _tick(self) -> None:
        """Do what is due."""
        left = self._due - self._plant.loop.time()
        if left <= 0:
            self._live_on(self._plant.now())
            left = self._interval
        self._look_after_session()
        self._flush()
        self._sleep_for(left)

    def _sleep_for(self, seconds: float) -> None:
        """Wait until the next message is due, `seconds` from now, with a pulse in between."""
        now = self._plant.loop.time()
        self._due = now + seconds
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self._plant.loop.call_at(now + min(seconds, PULSE), self._tick)

    def _live_on(self, now: float) -> None:
        """Become what the machine is now, and tell about it."""
        before = self._condition
        self._condition = advance(self._machine, before, now)
        self._condition, reading = read(self._machine, self._condition)
        self._count(before, self._condition, reading.level)
        self._keep(self._topics[reading.level], talk.telemetry(reading))
        self._weather_network()
        self._report()

    def _count(self, before: Condition, after: Condition, level: Level) -> None:
        counts = self._plant.counts
        counts.faults += before.broken is None and after.broken is not None
        counts.repairs += after.repairs - before.repairs
        counts.warnings += level is Level.WARNING and self._told.get("level") == Level.NORMAL.value
        self._told = {**self._told, "level": level.value}

    def _keep(self, topic: str, body: bytes) -> None:
        if len(self._unsent) >= self._plant.profile.network.buffer:
            self._unsent.popleft()
            self._plant.counts.dropped += 1
        self._unsent.append((topic, body))

    def _weather_network(self) -> None:
        """Cut the connection when the simulated network does; a radio's way: nobody says goodbye."""
        network, now = self._plant.profile.network, self._plant.network_now()
        passed, self._looked_at = now - self._looked_at, now
        ends = outage_ends(self._plant.profile, self._machine.seed, self._machine.hall, now)
        if ends is None and self._chance.happens(network.drops_per_day / DAY, passed):
            ends = now + self._chance.after(network.drop_seconds)
        if ends is None or now < self._down_until:
            return
        self._down_until = ends
        if self._transport is not None:
            self._plant.counts.drops += 1
            self._meant = True
            self._transport.abort()

    def _look_after_session(self) -> None:
        session = self._session
        if session is not None and session.on_timeout(self._plant.loop.time()):
            self._cut()

    def _on_event(self, session: ClientSession, event: ClientEvent) -> None:
        match event:
            case Acknowledged(packet_id):
                self._plant.counts.acked += self._flying.pop(packet_id, None) is not None
            case Publish():
                self._on_publish(session, event)
            case Accepted():
                self._on_accepted(session)
            case Subscribed():
                session.publish(get_twin_topic(self._next_request()), b"", 0, self._plant.loop.time())
            case Refused(code):
                self._plant.counts.refused += 1
                self._plant.last_refusal = f"CONNACK {code}"
            case Closed(reason):
                self._plant.last_refusal = reason

    def _on_accepted(self, session: ClientSession) -> None:
        counts = self._plant.counts
        counts.connected += 1
        counts.reconnects += self._been_open
        self._been_open = self._was_open = True
        self._twin_read = False
        self._attempts = 0
        self._settle()
        session.subscribe(feeds_wanted(self._who), 1)

    def _on_publish(self, session: ClientSession, message: Publish) -> None:
        match heard(message.topic, self._who):
            case MethodCalled(name, request_id):
                self._on_method(session, name, request_id, message.payload)
            case TwinAnswered(200, _):  # 204, the answer to what was reported, has no body
                self._set_interval(talk.wanted_interval(message.payload))
                self._twin_read, self._reported = True, {}
                self._report()
            case DesiredChanged():
                self._plant.counts.desired += 1
                self._set_interval(talk.wanted_interval(message.payload))
                self._report()
            case CommandArrived():
                self._plant.counts.commands += 1
        if message.qos:
            session.acknowledge(message.packet_id)

    def _on_method(self, session: ClientSession, name: str, request_id: str, payload: bytes) -> None:
        self._plant.counts.methods += 1
        answer = talk.answer_method(self._machine, self._condition, name, payload)
        topic = method_answer_topic(answer.status, request_id)
        session.publish(topic, answer.payload, 0, self._plant.loop.time())
        self._set_interval(answer.interval)
        self._report()
        if answer.restart:
            self._flush()
            self._down_until = self._plant.network_now() + RESTART * self._plant.network_speed
            self._meant = True
            session.disconnect()
            self._condition = replace(self._condition, stopped_until=self._plant.now() + RESTART * self._plant.speed)

    def _set_interval(self, interval: float | None) -> None:
        if interval is None or interval == self._interval or self._wake is None:
            return
        self._interval = interval
        self._sleep_for(self._chance.share() * interval)

    def _report(self) -> None:
        """Tell the twin what has changed since it was told last; nothing before it was read on this connection."""
        session = self._session
        if session is None or session.state is not ClientState.OPEN or not self._twin_read:
            return
        now = talk.reported(self._machine, self._condition, self._interval)
        if patch := talk.changes(self._reported, now):
            topic = patch_reported_topic(self._next_request())
            session.publish(topic, msgspec.json.encode(patch), 0, self._plant.loop.time())
            self._reported = now

    def _next_request(self) -> str:
        self._requests += 1
        return str(self._requests)

    def _flush(self) -> None:
        """Hand over what may go, and write it."""
        session, transport = self._session, self._transport
        if session is None or transport is None:
            return
        while self._unsent and session.can_publish and transport.get_write_buffer_size() < HELD_BACK:
            message = self._unsent.popleft()
            self._flying[session.publish(*message, 1, self._plant.loop.time())] = message
            self._plant.counts.sent += 1
        self._write()

    def _write(self) -> None:
        engine, session, transport = self._engine, self._session, self._transport
        if engine is None or session is None or transport is None:
            return
        if engine.handshake_done and (packets := session.to_send()):
            with suppress(TlsFailed):  # the hub has said goodbye; connection_lost follows
                engine.send(packets)
        if ciphertext := engine.to_send():
            with suppress(RuntimeError, OSError):
                transport.write(ciphertext)

    def _cut(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _settle(self) -> None:
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    def _try_again(self) -> None:
        """Wait longer after each failure, each machine for a time of its own: they must not all come at once."""
        if self._wake is None or self._retry is not None:
            return
        wait = min(MAX_WAIT, 2.0**self._attempts) * self._chance.between(0.5, 1.0)
        down = (self._down_until - self._plant.network_now()) / self._plant.network_speed
        self._attempts = min(self._attempts + 1, 6)
        self._retry = self._plant.loop.call_later(max(wait, down), self._want_connection)

    def _want_connection(self) -> None:
        self._retry = None
        if self._wake is not None:
            self._plant.waiting.put_nowait(self)
