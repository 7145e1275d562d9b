"""Tests of app/doctor/ports.py."""

import errno
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.unit.app.doctor.conftest import with_settings

from ironhub.app.datadir import RunInfo
from ironhub.app.doctor import ports
from ironhub.app.doctor.model import Level, Patient
from ironhub.app.doctor.ports import Wanted, bind_error, check_ports, judged, wanted_ports

ANY = {"mqtt_port": 0, "https_port": 0, "amqp_port": 0, "admin_port": 0, "metrics_port": 0, "bind": ["127.0.0.1"]}
HTTPS = Wanted("https_port", "127.0.0.1", 443)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_every_port_of_every_address_is_tried(patient: Patient) -> None:
    wanted = wanted_ports(with_settings(patient, bind=["127.0.0.1", "::1"], metrics_port=0).settings)
    assert {(one.setting, one.port) for one in wanted} == {
        ("mqtt_port", 8883),
        ("https_port", 443),
        ("amqp_port", 5671),
        ("admin_port", 9443),
    }
    assert len(wanted) == 7


def test_the_port_without_tls_is_tried_where_there_is_one(patient: Patient) -> None:
    (wanted,) = wanted_ports(with_settings(patient, **{**ANY, "amqp_plain_port": 5672}).settings)
    assert wanted == Wanted("amqp_plain_port", "127.0.0.1", 5672)


def test_ports_that_are_free_are_good(patient: Patient) -> None:
    (finding,) = check_ports(with_settings(patient, **ANY))
    assert finding.level is Level.OK


def test_a_port_that_somebody_has_is_told(patient: Patient, taken: int) -> None:
    (finding,) = check_ports(with_settings(patient, **{**ANY, "mqtt_port": taken}))
    assert finding.level is Level.BAD
    assert f"port {taken} on 127.0.0.1 is taken" in finding.what
    assert "mqtt_port" in finding.next_step


def test_two_settings_that_want_the_same_port_are_told(patient: Patient) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (finding,) = check_ports(with_settings(patient, **{**ANY, "amqp_port": port, "amqp_plain_port": port}))
    assert finding.level is Level.BAD
    assert finding.what == f"amqp_port and amqp_plain_port are both {port} on 127.0.0.1"


def test_a_port_without_tls_that_others_could_reach_is_told(patient: Patient) -> None:
    (finding,) = check_ports(with_settings(patient, **{**ANY, "bind": ["127.0.0.1", "::"], "amqp_plain_port": 0}))
    assert finding.level is Level.BAD
    assert ":: is not" in finding.what
    assert "amqp_plain_port" in finding.next_step


def test_an_address_this_machine_does_not_have_is_told() -> None:
    assert bind_error("203.0.113.1", 8883) == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("error", "has_other", "level"),
    [
        (errno.EACCES, False, Level.BAD),
        (errno.EACCES, True, Level.WARN),
        (errno.EADDRNOTAVAIL, False, Level.WARN),
        (errno.EADDRINUSE, True, Level.BAD),
        (errno.EIO, False, Level.BAD),
    ],
)
def test_each_refusal_has_its_own_remedy(error: int, has_other: bool, level: Level) -> None:
    finding = judged(HTTPS, error, has_other=has_other)
    assert finding is not None
    assert finding.level is level
    assert finding.next_step


def test_where_443_is_refused_the_port_instead_is_tried_too(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {443: errno.EACCES, 8443: errno.EADDRINUSE}
    monkeypatch.setattr(ports, "bind_error", lambda address, port: answers.get(port, 0))
    set_up = with_settings(patient, **{**ANY, "https_port": None})
    assert [finding.level for finding in check_ports(set_up)] == [Level.WARN, Level.BAD]
    answers[8443] = 0
    assert [finding.level for finding in check_ports(set_up)] == [Level.WARN]


def test_a_running_hub_must_answer(patient: Patient, taken: int) -> None:
    running = RunInfo(pid=7, mqtt=taken, https=taken, amqp=taken, admin=taken, metrics=taken)
    (finding,) = check_ports(replace(patient, running=running))
    assert finding.level is Level.OK
    (finding,) = check_ports(replace(patient, running=replace(running, bind="127.200.0.1")))
    assert "mqtt" in finding.what  # it was asked where its command line, not where the settings say
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, and nobody answers
        deaf = replace(running, https=silent.getsockname()[1])
        (finding,) = check_ports(replace(patient, running=deaf))
        assert finding.level is Level.BAD
        assert "https" in finding.what
        deaf = replace(running, amqp_plain=silent.getsockname()[1])
        (finding,) = check_ports(replace(patient, running=deaf))
        assert "amqp_plain" in finding.what
