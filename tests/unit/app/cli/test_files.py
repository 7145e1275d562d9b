"""Tests of app/cli/files.py."""

from tests.unit.app.cli.conftest import Cli


def test_nothing_came_yet(cli: Cli) -> None:
    cli("device", "create", "a")
    assert cli("files", "notifications", "-o", "json").json == []
    assert cli("files", "notifications", "--drop", "-o", "json").json == []
    assert cli("files", "list", "-o", "json").json == []
    assert "NAME" in cli("files", "list", "--prefix", "a/", "--container", "imports").out


def test_a_container_is_linked(cli: Cli) -> None:
    cli("device", "create", "b")
    link = cli("files", "container-url", "imports", "--permissions", "rwdl", "--hours", "1", "--hostname", "hub:8443")
    assert link.out.startswith("https://hub:8443/imports?sv=")
    assert cli("files", "container-url", "imports", "-o", "json").json["url"].startswith("https://localhost/imports?")
    refused = cli("files", "container-url", "devices")
    assert (refused.code, "blob.name_invalid" in refused.err) == (1, True)


def test_what_is_not_there_is_not_deleted(cli: Cli) -> None:
    cli("device", "create", "c")
    refused = cli("files", "delete", "c/none", "--yes")
    assert (refused.code, "blob.not_found" in refused.err) == (1, True)
