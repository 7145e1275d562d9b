"""Devices that are connected and answer each method at once, in a process of their own on the load's core.

    python -m tools.bench.answering ADDRESS CA < how many, then a line for each: ID<tab>USER NAME<tab>TOKEN

It prints "ready" when all are subscribed, and ends with its stdin.
"""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvloop
from tools.bench.credentials import API_VERSION, SAS_KEY, BenchDevice, sas_token
from tools.bench.machine import cores

from ironhub.core.ids import identity
from ironhub.dialects.azure.device_topics import MethodCalled, feeds_wanted, heard, method_answer_topic
from ironhub.wire.mqtt.client import Accepted, ClientLimits, ClientSession, Subscribed
from ironhub.wire.mqtt.packets import Connect, Publish


@contextmanager
def answering(
    address: str, ca: Path, devices: Sequence[BenchDevice], host: str, expires_at: int
) -> Iterator[subprocess.Popen[str]]:
    """Connect the devices; they answer until the end."""
    lines = [
        "\t".join(
            (
                device.device_id,
                f"{host}/{device.device_id}/?api-version={API_VERSION}",
                sas_token(f"{host}/devices/{device.device_id}", SAS_KEY, expires_at),
            )
        )
        for device in devices
    ]
    command = ["taskset", "-c", str(cores()[1]), sys.executable, "-m", "tools.bench.answering", address, str(ca)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        if child.stdin is None or child.stdout is None:
            raise ValueError("opened without pipes")
        child.stdin.write(f"{len(lines)}\n" + "".join(f"{line}\n" for line in lines))
        child.stdin.flush()
        try:
            if child.stdout.readline() != "ready\n":
                raise RuntimeError("the devices that answer methods could not connect")
            yield child
        finally:
            child.stdin.close()
            child.wait()


async def answer(address: str, ca: Path, device_id: str, username: str, token: str, ready: asyncio.Semaphore) -> None:
    """Be one device, until the connection ends."""
    context = ssl.create_default_context(cafile=str(ca))
    reader, writer = await asyncio.open_connection(address, 8883, ssl=context, server_hostname=address)
    loop, who = asyncio.get_running_loop(), identity(device_id)
    connect = Connect(device_id, username=username, password=token.encode(), keep_alive=1100)
    session = ClientSession(connect, ClientLimits(), loop.time())
    writer.write(session.to_send())
    while data := await reader.read(65_536):
        for event in session.receive(data):
            if isinstance(event, Accepted):
                session.subscribe(feeds_wanted(who), 1)
            elif isinstance(event, Subscribed):
                ready.release()
            elif isinstance(event, Publish):
                call = heard(event.topic, who)
                if isinstance(call, MethodCalled):
                    topic = method_answer_topic(200, call.request_id)
                    session.publish(topic, event.payload, 0, loop.time())
                if event.qos:
                    session.acknowledge(event.packet_id)
        writer.write(session.to_send())


async def main(address: str, ca: Path) -> None:
    """Be all devices that stdin names, until it ends."""
    count = int(sys.stdin.readline())
    ready = asyncio.Semaphore(0)
    devices = [sys.stdin.readline().rstrip("\n").split("\t") for _ in range(count)]
    tasks = [asyncio.create_task(answer(address, ca, name, user, token, ready)) for name, user, token in devices]
    for _ in devices:
        await ready.acquire()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], Path(sys.argv[2])))
