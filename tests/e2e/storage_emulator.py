"""Azurite, the vendor's emulator of blob storage, in a process of its own."""

import shutil
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from azure.storage.blob import BlobServiceClient
from tests.e2e.node_process import SCRIPTS
from tests.e2e.python_client import PATIENCE

KEY: Final = b64encode(b"k" * 64).decode()
NAME: Final = "plant"


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Emulator:
    """An account on a loopback address."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}/{NAME}"
        self.connection_string = f"AccountName={NAME};AccountKey={KEY};BlobEndpoint={self.endpoint};"
        node = shutil.which("node")
        assert node is not None
        command = [
            node,
            str(SCRIPTS / "node_modules/azurite/dist/src/blob/main.js"),
            "--silent",
            "--skipApiVersionCheck",
        ]
        where = ["--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(directory)]
        environment = {"AZURITE_ACCOUNTS": f"{NAME}:{KEY}", "PATH": str(Path(node).parent)}
        self.process = subprocess.Popen([*command, *where], stdout=subprocess.PIPE, text=True, env=environment)

    def wait(self) -> None:
        """Until it listens."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "successfully listen" in line.lower():
                return
        raise AssertionError("the emulator ended")

    def service(self) -> BlobServiceClient:
        """The account, as its owner sees it."""
        return BlobServiceClient.from_connection_string(self.connection_string)


@contextmanager
def emulated(directory: Path, container: str) -> Iterator[Emulator]:
    """An account with one container, until the block ends."""
    made = Emulator(directory)
    try:
        made.wait()
        with made.service() as service:
            service.create_container(container)
        yield made
    finally:
        made.process.terminate()
        made.process.wait(PATIENCE)
        assert made.process.stdout is not None
        made.process.stdout.close()
