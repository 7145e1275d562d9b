"""app/settings.py"""

import ast
import inspect
import itertools
from pathlib import Path

import pytest

from ironhub.app import settings as module
from ironhub.app.settings import Settings, SettingsInvalid, exposed_addresses, load_settings


def test_without_anything_the_defaults_hold_and_only_loopback_listens(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, environment={})
    assert settings == Settings(data=tmp_path)
    assert set(settings.bind) == {"127.0.0.1", "::1"}
    assert settings.admin_bind == "127.0.0.1"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "ironhub.toml").write_text('mqtt_port = 1\nadmin_port = 1\nhttps_port = 1\nbind = ["127.0.0.9"]\n')
    environment = {"IRONHUB_ADMIN_PORT": "2", "IRONHUB_HTTPS_PORT": "2", "IRONHUB_HOSTNAME": "a.example, b.example"}
    settings = load_settings(tmp_path, environment=environment, https_port=3, hostname=())
    assert (settings.mqtt_port, settings.admin_port, settings.https_port) == (1, 2, 3)
    assert settings.bind == ("127.0.0.9",)
    assert settings.hostname == ("a.example", "b.example")


def test_the_environment_may_name_the_data_directory(tmp_path: Path) -> None:
    assert load_settings(environment={"IRONHUB_DATA": str(tmp_path)}).data == tmp_path
    assert load_settings(environment={}).data == Path("ironhub-data")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ironhub.toml").write_text("mqtt_port = 70000\ncolour = 'red'\n")
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(tmp_path, environment={"IRONHUB_PARTITIONS": "none"})
    for name in ("mqtt_port", "colour: there is no such setting", "partitions"):
        assert name in str(refused.value)


@pytest.mark.parametrize("name", ["amqp_plain_port", "https_port", "commit_interval"])
def test_a_number_is_neither_true_nor_false(tmp_path: Path, name: str) -> None:
    for word in ("true", "false"):
        (tmp_path / "ironhub.toml").write_text(f"{name} = {word}\nfile_notifications = {word}\n")
        with pytest.raises(SettingsInvalid) as refused:
            load_settings(tmp_path, environment={})
        assert str(refused.value) == f"{name}: neither true nor false; leave it out for what it is by default"


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "localhost", "rubbish"])
def test_only_loopback_addresses_by_number_are_for_this_machine_alone(address: str) -> None:
    assert exposed_addresses(("127.0.0.1", "::1", "127.1.2.3")) == []
    assert exposed_addresses(("127.0.0.1", address)) == [address]


def test_a_file_in_place_of_the_directory_is_for_who_opens_the_directory_to_tell(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert load_settings(tmp_path / "file", environment={}).data == tmp_path / "file"


@pytest.mark.parametrize("text", ["mqtt_port = ", "\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "ironhub.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsInvalid, match="ironhub"):
        load_settings(tmp_path, environment={})


def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "ironhub.toml").mkdir()
    with pytest.raises(SettingsInvalid, match="ironhub"):
        load_settings(tmp_path, environment={})


def test_every_setting_is_documented() -> None:
    (settings,) = (
        node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    body = settings.body
    documented = {
        before.target.id
        for before, after in itertools.pairwise(body)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and isinstance(after, ast.Expr)
    }
    assert documented == set(Settings.model_fields)
