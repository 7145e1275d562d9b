import json
from dataclasses import replace

import pytest
from tests.contracts.stores import ARM, CREATED_AT, PRESS, device, module

from ironhub.console.shapes.rows import ImportGiven, given_line, taken_line
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import InvalidId
from ironhub.core.strict_json import JsonInvalid
from ironhub.provisioning.bulk.model import BulkResult, Registered, RowError, RowMode, SectionWish
from ironhub.registry.model import DeviceExists, DeviceStatus
from ironhub.twins.model import Section, Twin, initial_twin

TWIN = Twin(PRESS, 5, 3, {"hall": "b"}, Section(4, {"n": 1}), Section(2, {"r": 1}))


def test_what_is_given_is_taken_again() -> None:
    edge = replace(device(), edge_capable=True, scope="s", parent_scopes=("p",), status_reason="new")
    row = taken_line(given_line(Registered(edge, TWIN), with_keys=True, with_twin=True), None)
    assert (row.identity, row.mode, row.parent_may_follow) == (PRESS, RowMode.CREATE, True)
    assert row.device.credentials == edge.credentials
    assert (row.device.status, row.device.status_reason) == (DeviceStatus.ENABLED, "new")
    assert (row.device.edge_capable, row.device.scope, row.device.parent_scopes) == (True, "s", ("p",))
    assert (row.twin.tags, row.twin.desired) == ({"hall": "b"}, SectionWish({"n": 1}))
    assert row.twin.reported == SectionWish({"r": 1})
    arm = replace(module(), managed_by="us")
    row = taken_line(given_line(Registered(arm, TWIN), with_keys=True, with_twin=False), RowMode.UPDATE)
    assert (row.identity, row.mode, row.module.managed_by) == (ARM, RowMode.UPDATE, "us")
    assert not row.twin


def test_keys_and_twins_are_given_only_if_asked() -> None:
    shown = json.loads(given_line(Registered(device(), TWIN), with_keys=False, with_twin=False))
    assert shown == {"device_id": "press-7", "status": "enabled", "auth": {"kind": "sas"}}
    empty = Registered(device(), initial_twin(PRESS, CREATED_AT))
    assert "tags" not in json.loads(given_line(empty, with_keys=False, with_twin=True))


def test_a_line_says_what_it_does_unless_the_import_says_it_for_all() -> None:
    line = b'{"device_id":"a","mode":"delete","etag":"e","twin_etag":"t"}'
    row = taken_line(line, None)
    assert (row.mode, row.if_match, row.twin_if_match) == (RowMode.DELETE, "e", "t")
    assert taken_line(line, RowMode.UPDATE).mode is RowMode.UPDATE


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", JsonInvalid),
        (b"[]", JsonInvalid),
        (b"{}", InvalidArgument),
        (b'{"device_id":"a b"}', InvalidId),
        (b'{"device_id":"a","colour":1}', InvalidArgument),
        (b'{"device_id":"a","auth":{"kind":"sas","keys":{"primary":"secret","secondary":"secret"}}}', InvalidArgument),
        (b'{"device_id":"a","auth":{"kind":"sas","keys":{"primary":"secret"}}}', InvalidArgument),
    ],
)
def test_what_is_no_row_is_refused_without_its_values(line: bytes, error: type[HubError]) -> None:
    with pytest.raises(error) as refusal:
        taken_line(line, None)
    assert "secret" not in str(refusal.value)


def test_a_result_shows_what_was_not_done() -> None:
    errors = (RowError(3, ARM, DeviceExists("there")), RowError(4, None, InvalidId("no")))
    given = ImportGiven.of(BulkResult(7, errors))
    told = [(each.row, each.device_id, each.module_id, each.code) for each in given.failures]
    assert (given.done, told) == (7, [(3, "press-7", "arm", "device.exists"), (4, None, None, "id.invalid")])
