"""app/asgi.py"""

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.fakes.clock import FakeEntropy

from ironhub.app.asgi import AsgiServer
from ironhub.app.certificates import ServerCertificate
from ironhub.app.datadir import DataDirectory
from ironhub.app.system import SystemClock
from ironhub.heads.listener import PortTaken


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", hello)])


async def test_an_app_answers_while_the_server_is_entered() -> None:
    async with AsgiServer(APP, "127.0.0.1", 0) as port, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).text == "hello"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


async def test_a_port_that_is_taken_is_a_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken):
            async with AsgiServer(APP, "127.0.0.1", taken.getsockname()[1]):
                pass


async def test_a_renewed_certificate_is_shown_to_new_connections(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.create(FakeEntropy())
    ServerCertificate(directory, (), SystemClock(), FakeEntropy())
    key, certificate = directory.server_key, directory.server_certificate
    server = AsgiServer(APP, "127.0.0.1", 0, certificate=certificate, key=key)
    trust = ssl.create_default_context(cafile=str(directory.ca_certificate))
    async with server as port:
        url = f"https://localhost:{port}/"
        async with httpx.AsyncClient(verify=trust) as client:
            assert (await client.get(url)).text == "hello"
        ServerCertificate(directory, ("new.example",), SystemClock(), FakeEntropy("another"))
        server.reload_certificate()
        async with httpx.AsyncClient(verify=trust) as client:
            answer = await client.get(url, headers={"host": "localhost"})
            assert answer.text == "hello"
            names = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()["subjectAltName"]
    assert ("DNS", "new.example") in names


POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize("beginning", [b"", b"GET / HT", POST], ids=["nothing", "half a head", "no body"])
async def test_a_connection_that_never_asks_for_anything_whole_is_cut(beginning: bytes) -> None:
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    async with AsgiServer(app, "127.0.0.1", 0, request_timeout=0.02) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(beginning)
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


async def test_an_answer_may_take_its_time() -> None:
    looked = asyncio.Event()

    async def slow(_: Request) -> PlainTextResponse:
        asyncio.get_running_loop().call_later(0.1, looked.set)  # five looks later
        await looked.wait()
        return PlainTextResponse("at last")

    app = Starlette(routes=[Route("/", slow)])
    async with AsgiServer(app, "127.0.0.1", 0, request_timeout=0.02) as port, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).text == "at last"
