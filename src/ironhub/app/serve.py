"""`ironhub serve`: one hub with its listeners, from the ready line to the drain."""

import asyncio
import gc
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import ClassVar, Final, NamedTuple

import uvloop

from ironhub.app.asgi import AsgiServer
from ironhub.app.datadir import DataDirectory, RunInfo
from ironhub.app.hub import Hub, open_hub
from ironhub.app.metrics import hub_health
from ironhub.app.rest import azure_http
from ironhub.app.settings import Settings, exposed_addresses
from ironhub.app.system import SystemClock, SystemEntropy
from ironhub.console.api import make_admin_app
from ironhub.console.health import make_health_app
from ironhub.core.errors import HubError
from ironhub.heads.amqp.conversation import AmqpConversation
from ironhub.heads.http.conversation import HttpConversation
from ironhub.heads.http.messages import HttpSettings
from ironhub.heads.limits import ConnectionLimits, connections_within
from ironhub.heads.listener import Channel, Conversation, Listener, ListenerSettings, PortRefused
from ironhub.heads.mqtt.conversation import MqttConversation
from ironhub.wire.tls import PlainContext

log: Final = logging.getLogger(__name__)

HTTPS_PORT: Final = 443
UNPRIVILEGED_HTTPS_PORT: Final = 8443
COLLECT_AFTER: Final = 50_000
"""Objects made and not freed again between two collections of the youngest."""
PATIENCE: Final = 10.0
"""Seconds to wait for a command that uses the data directory just then."""
LAST_COMMIT: Final = 1.0
"""Seconds that a stop waits for the log, so that what it stores is acknowledged before the sessions end."""
RENEWAL_LOOK: Final = 3600.0
"""Seconds between two looks whether the server certificate is to be renewed."""


class PlaintextExposed(HubError):
    """A port without TLS would be reachable from other machines."""

    code: ClassVar[str] = "listener.plaintext_exposed"
    status: ClassVar[int] = 500
    next_step: ClassVar[str] = "Leave amqp_plain_port out, or bind to 127.0.0.1 and ::1 only, by number."


def serve(settings: Settings) -> int:
    """Run a hub until SIGTERM or SIGINT; returns the exit code. Blocks.

    Raises:
        HubError: it cannot start.
    """
    return uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    patience = PATIENCE if DataDirectory(settings.data).running() is None else 0.0
    opening = open_hub(settings, clock=SystemClock(), entropy=SystemEntropy(), patience=patience)
    async with opening as hub, listening(hub) as info:
        hub.directory.announce(info)
        _tune_collector()
        _print_ready(hub, info)
        log.info("hub_ready", extra={"mqtt": info.mqtt, "https": info.https, "amqp": info.amqp, "admin": info.admin})
        await stop.wait()
        hub.services.stopping.set()
        log.info("hub_stopping")
    log.info("hub_stopped")
    return 0


@asynccontextmanager
async def listening(hub: Hub) -> AsyncIterator[RunInfo]:
    """Open every listener of `hub` and yield where they listen; at the end drain and close them.

    Raises:
        HubError: a port is taken or refused; those already open are closed again.
    """
    settings = hub.settings
    async with AsyncExitStack() as stack:
        limits = ConnectionLimits(
            max_connections=_affordable(settings.max_connections),
            max_unidentified=settings.max_unidentified,
            max_per_address=settings.max_per_address,
        )
        heads = _heads(hub, limits)
        listeners = list(heads)
        stack.push_async_callback(_drain, hub, listeners)
        mqtt_port = await heads.mqtt.start(settings.bind, settings.mqtt_port)
        https_port = await _start_https(heads.https, settings)
        amqp_port = await heads.amqp.start(settings.bind, settings.amqp_port)
        plain_port = await _start_plain(heads.plain, settings)
        metrics = AsgiServer(
            make_health_app(hub_health(hub, listeners, limits)),
            settings.admin_bind,
            settings.metrics_port,
            request_timeout=settings.connect_timeout,
        )
        metrics_port = await stack.enter_async_context(metrics)
        admin = AsgiServer(
            make_admin_app(hub.services, hub.admin_token),
            settings.admin_bind,
            settings.admin_port,
            request_timeout=settings.connect_timeout,
            certificate=hub.directory.server_certificate,
            key=hub.directory.server_key,
        )
        admin_port = await stack.enter_async_context(admin)
        renewal = asyncio.create_task(_renew(hub, [heads.mqtt, heads.https, heads.amqp], admin))
        stack.callback(renewal.cancel)
        await stack.enter_async_context(hub.serving())
        yield RunInfo(
            os.getpid(), mqtt_port, https_port, amqp_port, admin_port, metrics_port, settings.bind[0], plain_port
        )


class _Heads(NamedTuple):
    """A listener for each device port."""

    mqtt: Listener
    https: Listener
    amqp: Listener
    plain: Listener
    """AMQP without TLS; started only where that was asked for."""


def _heads(hub: Hub, limits: ConnectionLimits) -> _Heads:
    """Return the listeners, each with who talks behind it; none of them listens yet."""
    settings = hub.settings
    context = hub.certificate.context(settings.tls_engine)
    bounds = ListenerSettings(handshake_timeout=settings.handshake_timeout, connect_timeout=settings.connect_timeout)
    requests = HttpSettings(request_timeout=settings.connect_timeout)
    azure = azure_http(hub)

    def mqtt(channel: Channel) -> Conversation:
        return MqttConversation(channel, hub.mqtt)

    def amqp(channel: Channel) -> Conversation:
        return AmqpConversation(channel, hub.amqp)

    inside = {"mqtt": mqtt, "amqpwsb10": amqp}

    def http(channel: Channel) -> Conversation:
        return HttpConversation(channel, azure, inside, requests)

    return _Heads(
        mqtt=Listener(context, mqtt, limits, bounds),
        https=Listener(context, http, limits, bounds),
        amqp=Listener(context, amqp, limits, bounds),
        plain=Listener(PlainContext(), amqp, limits, bounds),
    )


def _affordable(wanted: int) -> int:
    """Use the file descriptors this process may have, and say so when they are fewer than the settings want."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = connections_within(hard, wanted)  # RLIM_INFINITY is negative
    if possible < wanted:
        log.warning("connections_limited", extra={"wanted": wanted, "possible": possible})
    return possible


async def _start_https(listener: Listener, settings: Settings) -> int:
    if settings.https_port is not None:
        return await listener.start(settings.bind, settings.https_port)
    try:
        return await listener.start(settings.bind, HTTPS_PORT)
    except PortRefused as refusal:
        port = await listener.start(settings.bind, UNPRIVILEGED_HTTPS_PORT)
        log.warning("https_port_refused", extra={"instead": port, "next_step": refusal.next_step})
        print(f"warning: {refusal.code}: {refusal} Listening on {port}. ({refusal.next_step})", file=sys.stderr)  # noqa: T201
        return port


async def _start_plain(listener: Listener, settings: Settings) -> int | None:
    """Listen without TLS where that was asked for, and nobody but this machine can come."""
    if settings.amqp_plain_port is None:
        return None
    exposed = exposed_addresses(settings.bind)
    if exposed:
        raise PlaintextExposed(f"AMQP without TLS is for this machine only, and {', '.join(exposed)} is not")
    port = await listener.start(settings.bind, settings.amqp_plain_port)
    log.warning("amqp_without_tls", extra={"port": port, "addresses": list(settings.bind)})
    return port


async def _renew(hub: Hub, listeners: list[Listener], admin: AsgiServer) -> None:
    """New connections get the new certificate; those that are open keep theirs and live on."""
    while True:
        await asyncio.sleep(RENEWAL_LOOK)
        try:
            if not hub.certificate.renew_if_due():
                continue
            context = hub.certificate.context(hub.settings.tls_engine)
        except (HubError, OSError) as error:
            log.error("certificate_not_renewed", extra={"reason": str(error)})  # noqa: TRY400
            continue
        for listener in listeners:
            listener.replace_context(context)
        admin.reload_certificate()
        log.info("certificate_renewed", extra={"ends_at": hub.certificate.ends_at})


async def _drain(hub: Hub, listeners: list[Listener]) -> None:
    for listener in listeners:
        listener.stop_accepting()
    with suppress(TimeoutError, HubError):  # else the devices send again what has no PUBACK
        async with asyncio.timeout(LAST_COMMIT):
            await hub.log.committed()
    hub.sessions.end_all()
    hub.backends.end_all()
    # Together: peers that do not let go keep each of them for a while.
    await asyncio.gather(*(listener.close(hub.settings.drain_timeout) for listener in listeners))


def _tune_collector() -> None:
    """Collect cycles rarely: the hot path makes none, and each collection walks what ten thousand sessions hold."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)


def _print_ready(hub: Hub, info: RunInfo) -> None:
    ready = {
        "event": "ready",
        "mqtt": info.mqtt,
        "https": info.https,
        "amqp": info.amqp,
        "admin": info.admin,
        "metrics": info.metrics,
        "ca": str(hub.directory.ca_certificate.resolve()),
        **({} if info.amqp_plain is None else {"amqp_plain": info.amqp_plain}),
    }
    print(json.dumps(ready), flush=True)  # noqa: T201
