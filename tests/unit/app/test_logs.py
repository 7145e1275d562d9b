"""Tests of app/logs.py."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from ironhub.app.logs import MAX_TEXT, configure_logs

LOG = logging.getLogger("ironhub.tests")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where logs go; the process's own arrangement is put back."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], level = before
    root.setLevel(level)


def test_an_event_is_one_line_of_json_with_its_fields(stream: io.StringIO) -> None:
    configure_logs("json", "info", stream=stream)
    LOG.info("mqtt_connect_rejected", extra={"code": "identity.unauthorized", "device_id": "a\nb"})
    LOG.debug("too_little")
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert event.pop("at").endswith("Z")
    assert event == {
        "level": "info",
        "event": "mqtt_connect_rejected",
        "logger": "ironhub.tests",
        "code": "identity.unauthorized",
        "device_id": "a\nb",
    }


@pytest.mark.parametrize("format_name", ["json", "console"])
def test_what_is_named_like_a_secret_is_blanked(stream: io.StringIO, format_name: str) -> None:
    configure_logs(format_name, "info", stream=stream)
    LOG.info("oops", extra={"primary_key": "s3cr3t", "token": "s3cr3t", "Password": "s3cr3t", "monkey": "fine"})
    assert "s3cr3t" not in stream.getvalue()
    assert "fine" in stream.getvalue()


@pytest.mark.parametrize(
    "written",
    [
        "user name 'SharedAccessSignature sr=hub%2Fdevices%2Fd&sig=s3cr3t%2Bx%3D&se=1795266140'",
        "/devices/d/SharedAccessSignature%20sr%3Dhub%26sig%3Ds3cr3t",
        "HostName=hub;DeviceId=d;SharedAccessKey=s3cr3t+x/y=",
        "x" * MAX_TEXT + "s3cr3t",
    ],
)
@pytest.mark.parametrize("format_name", ["json", "console"])
def test_a_secret_that_a_peer_wrote_where_it_does_not_belong_is_blanked(
    stream: io.StringIO, format_name: str, written: str
) -> None:
    configure_logs(format_name, "info", stream=stream)
    LOG.info("refused", extra={"detail": written, "count": 7})
    assert "s3cr3t" not in stream.getvalue()
    assert written[:9] in stream.getvalue()
    assert len(stream.getvalue()) < MAX_TEXT + 500


@pytest.mark.parametrize("library", ["alembic.runtime.migration", "uvicorn.error", "httpx"])
def test_libraries_are_heard_only_when_something_is_odd(stream: io.StringIO, library: str) -> None:
    configure_logs("json", "info", stream=stream)
    logging.getLogger(library).info("Running upgrade  -> 0001")
    logging.getLogger(library).warning("odd")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "odd"


def test_people_get_a_line_that_nobody_can_forge(stream: io.StringIO) -> None:
    configure_logs("console", "debug", stream=stream)
    LOG.debug("seen", extra={"device_id": "a\nfake line\x1b[2J"})
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("format_name", ["json", "console"])
def test_a_traceback_is_told_without_the_values_of_variables(stream: io.StringIO, format_name: str) -> None:
    configure_logs(format_name, "info", stream=stream)
    secret = "s3cr" + "3t"
    try:
        raise ValueError(len(secret))
    except ValueError:
        LOG.exception("failed")
    assert "ValueError: 6" in stream.getvalue()
    assert secret not in stream.getvalue()


def test_libraries_that_talk_much_are_heard_when_they_warn(stream: io.StringIO) -> None:
    configure_logs("json", "debug", stream=stream)
    logging.getLogger("httpx").info("GET …")
    logging.getLogger("httpx").warning("odd")
    assert len(stream.getvalue().splitlines()) == 1


def test_without_a_stream_logs_go_to_stderr(stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    LOG.info("here")
    assert "here" in capsys.readouterr().err
