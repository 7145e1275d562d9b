"""An import of many devices through SIGKILL, of the hub and of the command: each row is done once, none is half."""

import json
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from tests.durability.conftest import MakeHub
from tests.durability.form import FULL
from tests.e2e.command_line import CommandLine
from tests.fakes.running_hub import RunningHub

ROWS: Final = 20_000 if FULL else 4_000
KILLS: Final = 12 if FULL else 3
SEED: Final = 11


def a_file(directory: Path) -> Path:
    """Devices with a twin and every hundredth line broken."""
    source = directory / "devices.jsonl"
    rows: list[Any] = [{"device_id": f"d{number:06d}", "tags": {"n": number}} for number in range(ROWS)]
    rows[::100] = [{"device_id": "no id"}] * len(rows[::100])
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return source


def acknowledged(source: Path) -> int:
    """How far the import has written down that it got."""
    try:
        return int(json.loads(source.with_name("devices.jsonl.import").read_text())["position"])
    except (OSError, ValueError):
        return 0


def check(hub: RunningHub, errors: Path) -> None:
    """All rows are there, with their twins and keys, and every broken line was told once."""
    status = hub.call("GET", "/status")
    assert status["devices"] == status["devices_enabled"] == ROWS - ROWS // 100
    lines = [json.loads(line)["line"] for line in errors.read_text().splitlines()]
    assert lines == list(range(1, ROWS + 1, 100))
    with hub.admin() as admin, admin.stream("GET", "/export", params={"keys": True, "twins": True}) as answer:
        rows = [json.loads(line) for line in answer.iter_lines()]
    assert len(rows) == ROWS - ROWS // 100
    for row in rows:
        assert row["tags"] == {"n": int(row["device_id"][1:])}
        assert row["auth"]["keys"]["primary"]


def test_an_import_goes_on_after_each_kill_of_the_hub_and_of_itself(make_hub: MakeHub, tmp_path: Path) -> None:
    hub = make_hub().start()
    source, errors = a_file(tmp_path), tmp_path / "errors.jsonl"
    command = CommandLine(hub.data)
    chance = random.Random(SEED)
    arguments = ["device", "import", str(source), "--errors", str(errors)]
    for turn in range(KILLS):
        before = acknowledged(source)
        with command.start(*arguments, *(["--resume"] if turn else [])) as process:
            deadline = time.monotonic() + 60
            while acknowledged(source) <= before and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.1))  # any instant will do, also one between two commits
            if turn % 2:
                process.send_signal(signal.SIGKILL)
            else:
                hub.kill()
            process.communicate(timeout=60)
        if not hub.alive:
            hub.start()
    with command.start(*arguments, "--resume") as process:
        out, told = process.communicate(timeout=120)
    assert process.returncode == 1, told
    assert f"{ROWS // 100} failed" in out
    check(hub, errors)
    assert hub.stop() == 0


def test_an_import_job_goes_on_after_the_hub_was_killed(make_hub: MakeHub, tmp_path: Path) -> None:
    hub = make_hub().start()
    source = a_file(tmp_path)
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    content = "".join(json.dumps({"id": row["device_id"], "tags": row.get("tags", {})}) + "\n" for row in rows)
    link = hub.call("POST", "/files/containers/box/link", json={"permissions": "rwdl", "host": hub.address})["url"]
    base, _, signature = link.partition("?")
    put(hub, f"{base}/devices.txt?{signature}", content)
    job = rest(
        hub, "POST", "/jobs/create", {"type": "import", "inputBlobContainerUri": link, "outputBlobContainerUri": link}
    )
    for _ in range(2):
        hub.wait_for(lambda: hub.call("GET", "/status")["devices"] > 0)
        hub.kill()
        hub.start()
    hub.wait_for(lambda: rest(hub, "GET", f"/jobs/{job['jobId']}")["status"] == "completed", 60)
    assert hub.call("GET", "/status")["devices"] == ROWS - ROWS // 100
    log = curl(hub, f"{base}/importErrors.log?{signature}")
    assert [json.loads(line)["line"] for line in log.splitlines()] == list(range(1, ROWS + 1, 100))
    assert hub.stop() == 0


def curl(hub: RunningHub, url: str, *arguments: str) -> str:
    """Ask the hub's HTTPS port, as any client might."""
    command = ["curl", "-sS", "--fail-with-body", "--cacert", str(hub.ca_path), *arguments, url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def put(hub: RunningHub, url: str, content: str) -> None:
    """Store a blob."""
    path = hub.data.with_suffix(".blob")
    path.write_text(content)
    curl(hub, url, "-X", "PUT", "-H", "x-ms-blob-type: BlockBlob", "-H", "Expect:", "--data-binary", f"@{path}")


def rest(hub: RunningHub, method: str, path: str, body: Any = None) -> Any:
    """Call the vendor's REST API as the hub's owner."""
    from tests.fakes.raw_device import policy_token

    token = policy_token(hub, "iothubowner")
    data = [] if body is None else ["-d", json.dumps(body)]
    port = hub.ready["https"]
    url = f"https://{hub.address}:{port}{path}?api-version=2021-04-12"
    headers = ["-H", f"Authorization: {token}", "-H", "Content-Type: application/json"]
    return json.loads(curl(hub, url, "-X", method, *headers, *data))
