import json

from tests.unit.console.conftest import Desk

LINES = b'{"device_id":"a","tags":{"hall":"b"}}\n{"device_id":"b c"}\n{"device_id":"a"}\n{"device_id":"a","colour":1}\n'


async def test_lines_are_done_or_told_and_how_far_it_got_is_remembered(desk: Desk) -> None:
    given = await desk.ok("POST", "/imports/i-1/lines?position=4", content=LINES)
    assert given["done"] == 1
    assert [(each["row"], each["device_id"], each["code"]) for each in given["failures"]] == [
        (1, None, "id.invalid"),
        (2, "a", "device.exists"),
        (3, None, "argument.invalid"),
    ]
    state = await desk.ok("GET", "/imports/i-1")
    assert state == {"position": 4, "newest": given}
    assert (await desk.ok("GET", "/twins/a"))["tags"] == {"hall": "b"}
    await desk.ok("DELETE", "/imports/i-1")
    assert await desk.refused("GET", "/imports/i-1") == (404, "import.not_found")


async def test_a_dry_run_and_a_mode_for_all(desk: Desk) -> None:
    tried = await desk.ok("POST", "/imports/i/lines?position=1&dry_run=true", content=b'{"device_id":"a"}')
    assert tried == {"done": 1, "failures": []}
    assert await desk.refused("GET", "/imports/i") == (404, "import.not_found")
    await desk.ok("POST", "/imports/i/lines?position=1", content=b'{"device_id":"a"}')
    row = b'{"device_id":"a","mode":"create","status":"disabled"}'
    assert (await desk.ok("POST", "/imports/i/lines?position=2&mode=update", content=row))["done"] == 1
    assert (await desk.ok("GET", "/devices/a"))["status"] == "disabled"


async def test_no_answer_repeats_a_key(desk: Desk) -> None:
    row = {"device_id": "a", "auth": {"kind": "sas", "keys": {"primary": "not-base64-secret", "secondary": 5}}}
    response = await desk.client.post("/api/v1/imports/i/lines?position=1", content=json.dumps(row).encode())
    assert response.json()["failures"][0]["code"] == "argument.invalid"
    assert "secret" not in response.text


async def test_exports_show_keys_and_twins_only_if_asked(desk: Desk) -> None:
    await desk.ok("POST", "/imports/i/lines?position=1", content=LINES)
    await desk.ok("POST", "/devices/a/modules", json={"module_id": "m"})
    for form, name in (("jsonl", "device_id"), ("azure", "id")):
        plain = (await desk.client.get(f"/api/v1/export?format={form}")).text
        whole = (await desk.client.get(f"/api/v1/export?format={form}&keys=true&twins=true")).text
        lines = [json.loads(line) for line in whole.splitlines()]
        assert [line[name] for line in lines] == ["a", "a"]
        assert lines[0]["tags"] == {"hall": "b"}
        assert "hall" not in plain
        key = (await desk.ok("GET", "/devices/a?keys=true"))["auth"]["keys"]["primary"]
        assert key in whole
        assert key not in plain


async def test_names_and_sizes_are_bounded(desk: Desk) -> None:
    assert await desk.refused("POST", "/imports/a.b/lines?position=1", content=b"") == (400, "argument.invalid")
    many = b'{"device_id":"a"}\n' * 1001
    assert await desk.refused("POST", "/imports/i/lines?position=1", content=many) == (400, "bulk.too_many")
    huge = b"x" * (1 << 20) + b"y"
    assert await desk.refused("POST", "/imports/i/lines?position=1", content=huge) == (413, "request.too_large")
