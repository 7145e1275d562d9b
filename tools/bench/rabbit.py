"""RabbitMQ of Debian with its AMQP 1.0 plugin: a private node with its own files, ports and port mapper."""

import base64
import hashlib
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tools.bench.credentials import Login, Pair, signed_by
from tools.bench.servers import NotStarted, Process, wait_for

PORT: Final = 5671
USER: Final = "bench"
PASSWORD: Final = "a password for a measurement, no more"
_SALT: Final = b"salt"
_PLUGINS: Final = "[rabbitmq_amqp1_0].\n"


class RabbitServer:
    """A node that keeps persistent messages in durable queues; TLS, SASL PLAIN."""

    def __init__(self, program: Path, directory: Path, address: str, authority: Pair, *, queues: int) -> None:
        """Write its configuration and start it with its port mapper. Raises NotStarted."""
        self.name, self.address, self.directory = "RabbitMQ", address, directory
        self.ca = directory / "ca.pem"
        write_configuration(directory, address, authority, queues)
        mapper, distribution = _free_ports(2)
        self._mapper = Process(["epmd", "-port", str(mapper)], directory / "epmd.log")
        try:
            environment = surroundings(directory, mapper, distribution)
            self._process = Process([str(program)], directory / "stderr.log", environment)
            self._start()
        except BaseException:
            self._mapper.kill()
            raise

    @property
    def pid(self) -> int:
        """See `Server`: the script becomes the virtual machine."""
        return self._process.pid

    def stop(self) -> None:
        """See `Server`."""
        self._process.stop()
        self._mapper.stop()

    def kill(self) -> None:
        """See `Server`."""
        self._process.kill()
        self._mapper.kill()

    def _start(self) -> None:
        try:
            wait_for(self._process, self.address, PORT)
        except NotStarted:
            self._process.kill()
            raise


def queue_name(number: int) -> str:
    """Return the name of a queue; as many as the hub has partitions."""
    return f"events-{number}"


def queue_address(number: int) -> str:
    """Return the address of an existing queue."""
    return f"/amq/queue/{queue_name(number)}"


def version(program: Path) -> str:
    """Return the version of the installation that `program` belongs to."""
    return program.resolve().parents[1].name.removeprefix("rabbitmq_server-")


def login(name: str, queue: int) -> Login:
    """Return how somebody opens a link to a queue."""
    return Login(name, USER, PASSWORD, queue_address(queue))


def write_configuration(directory: Path, address: str, authority: Pair, queues: int) -> None:
    """Write what the node needs into `directory`; everything not named here is its default."""
    directory.mkdir(parents=True)
    server = signed_by(authority, address, address)
    (directory / "ca.pem").write_bytes(authority.pem)
    (directory / "server.pem").write_bytes(server.pem + authority.pem)
    key = directory / "server.key"
    key.touch(mode=0o600)
    key.write_bytes(server.key_pem)
    (directory / "enabled_plugins").write_text(_PLUGINS)
    (directory / "definitions.json").write_text(json.dumps(definitions(queues)))
    (directory / "rabbitmq.conf").write_text(configuration(directory, address))


def configuration(directory: Path, address: str) -> str:
    """TLS only, and nobody without a password."""
    lines = [
        "listeners.tcp = none",
        f"listeners.ssl.1 = {address}:{PORT}",
        f"ssl_options.cacertfile = {directory}/ca.pem",
        f"ssl_options.certfile = {directory}/server.pem",
        f"ssl_options.keyfile = {directory}/server.key",
        "ssl_options.verify = verify_none",
        "ssl_options.fail_if_no_peer_cert = false",
        "ssl_options.versions.1 = tlsv1.3",
        "ssl_options.versions.2 = tlsv1.2",
        "amqp1_0.default_user = none",
        "loopback_users = none",
        f"load_definitions = {directory}/definitions.json",
        "log.file.level = warning",
    ]
    return "\n".join(lines) + "\n"


def definitions(queues: int) -> dict[str, Any]:
    """One user and the durable queues."""
    digest = hashlib.sha256(_SALT + PASSWORD.encode()).digest()
    user = {
        "name": USER,
        "password_hash": base64.b64encode(_SALT + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "",
    }
    queue = {"vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
    return {
        "users": [user],
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": USER, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
        "queues": [{"name": queue_name(number), **queue} for number in range(queues)],
    }


def surroundings(directory: Path, mapper: int, distribution: int) -> Mapping[str, str]:
    """Return the environment that keeps the node within `directory` and on loopback; detached: no shell."""
    return {
        "detached": "1",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": "bench@localhost",
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_FEATURE_FLAGS_FILE": str(directory / "feature_flags"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "generated"),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
