"""The configuration of RabbitMQ: private, durable, and nobody gets in without a password."""

import base64
import hashlib
import stat
from pathlib import Path

import pytest
from tools.bench.credentials import login_line, make_ca
from tools.bench.rabbit import (
    PASSWORD,
    USER,
    configuration,
    definitions,
    login,
    surroundings,
    version,
    write_configuration,
)

ADDRESS = "127.30.0.6"


@pytest.mark.parametrize(
    "line",
    [
        "listeners.tcp = none",
        "listeners.ssl.1 = 127.30.0.6:5671",
        "amqp1_0.default_user = none",
        "load_definitions = /somewhere/definitions.json",
    ],
)
def test_it_speaks_tls_only_and_knows_nobody_without_a_password(line: str) -> None:
    assert line in configuration(Path("/somewhere"), ADDRESS).splitlines()


def test_its_queues_outlive_it_and_its_user_has_the_password() -> None:
    found = definitions(4)
    assert [queue["name"] for queue in found["queues"]] == ["events-0", "events-1", "events-2", "events-3"]
    assert all(queue["durable"] for queue in found["queues"])
    (user,) = found["users"]
    salted = base64.b64decode(user["password_hash"])
    assert salted[4:] == hashlib.sha256(salted[:4] + PASSWORD.encode()).digest()
    assert found["permissions"][0]["user"] == user["name"] == USER


def test_whatever_it_writes_lies_in_its_directory() -> None:
    found = surroundings(Path("/somewhere"), 1, 2)
    for name, value in found.items():
        if name.endswith(("FILE", "BASE", "DIR")) and name != "RABBITMQ_CONF_ENV_FILE":
            assert value.startswith("/somewhere/"), name
    assert found["RABBITMQ_CONF_ENV_FILE"] == "/dev/null"
    assert (found["ERL_EPMD_PORT"], found["RABBITMQ_DIST_PORT"]) == ("1", "2")


def test_everything_the_configuration_names_is_written(tmp_path: Path) -> None:
    directory = tmp_path / "rabbitmq"
    write_configuration(directory, ADDRESS, make_ca("bench authority"), 4)
    for line in (directory / "rabbitmq.conf").read_text().splitlines():
        value = line.partition(" = ")[2]
        if value.startswith("/"):
            assert Path(value).read_bytes(), line
    assert (directory / "enabled_plugins").read_text() == "[rabbitmq_amqp1_0].\n"
    assert stat.S_IMODE((directory / "server.key").stat().st_mode) == 0o600


def test_who_opens_a_link_says_so_in_one_line() -> None:
    assert login_line(login("device-7", 3)) == f"device-7\t{USER}\t{PASSWORD}\t/amq/queue/events-3\t\t"


def test_the_version_is_that_of_the_installation(tmp_path: Path) -> None:
    script = tmp_path / "rabbitmq_server-3.10.8" / "sbin" / "rabbitmq-server"
    script.parent.mkdir(parents=True)
    script.touch()
    link = tmp_path / "rabbitmq-server"
    link.symlink_to(script)
    assert version(link) == "3.10.8"
