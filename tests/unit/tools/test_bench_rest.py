"""The load generator of the REST benchmark, against the floor: two real programs."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.bench.calls import Calls
from tools.bench.credentials import make_ca
from tools.bench.generator import LoadFailed, RestLoad
from tools.bench.needs import FLAGS, HERE
from tools.bench.rest import CALLS, TELEMETRY
from tools.bench.servers import FloorServer

ADDRESS = "127.31.0.9"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The load generator, compiled."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler here; `make bench` installs one")
    path = tmp_path_factory.mktemp("bench") / "rest"
    command = ["cc", *FLAGS, "-Werror", "-o", str(path), str(HERE / "rest.c"), "-lssl", "-lcrypto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "openssl" in done.stderr and "No such file" in done.stderr:
        pytest.skip("OpenSSL's headers are not here; `make bench` installs them")
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FloorServer]:
    """The server that does nothing."""
    server = FloorServer(tmp_path_factory.mktemp("floor") / "floor", ADDRESS, make_ca("bench authority"))
    yield server
    server.stop()


def load(program: Path, floor: FloorServer, requests: list[bytes], place: Path) -> RestLoad:
    """Two connections to the floor."""
    place.write_bytes(b"".join(len(request).to_bytes(4, "big") + request for request in requests))
    return RestLoad(program, ADDRESS, floor.https, floor.ca, place, connections=2)


@pytest.mark.parametrize("call", [*CALLS, TELEMETRY], ids=lambda call: call.name)
def test_every_call_is_sent_and_its_answer_awaited(
    call: object, program: Path, floor: FloorServer, tmp_path: Path
) -> None:
    requests = list(call.make(Calls(ADDRESS, b"key", 2_000_000_000), ["a", "b", "c"]))  # type: ignore[attr-defined]
    with load(program, floor, requests, tmp_path / "requests") as generator:
        answer = generator.run("requests 20 10")
        assert answer["done"] == 20
        assert 0 < answer["p50_us"] <= answer["p99_us"]
        assert answer["bytes"] > 20 * 50
        assert generator.run("requests 5 10")["done"] == 5


@pytest.mark.parametrize(
    "request_text", [b"DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /nothing/here HTTP/1.1\r\nHost: a\r\n\r\n"]
)
def test_a_refusal_ends_the_measurement(request_text: bytes, program: Path, floor: FloorServer, tmp_path: Path) -> None:
    with (
        load(program, floor, [request_text], tmp_path / "requests") as generator,
        pytest.raises(LoadFailed, match="40"),
    ):
        generator.run("requests 1 10")


def test_a_file_without_requests_is_refused(program: Path, floor: FloorServer, tmp_path: Path) -> None:
    with pytest.raises(LoadFailed):
        load(program, floor, [], tmp_path / "requests")
