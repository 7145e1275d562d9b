"""Twin messages to and from devices."""

import json

import pytest

from ironhub.core.ids import identity
from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.payloads import decode_reported, encode_desired, encode_own_twin
from ironhub.twins.model import Section, Twin


def test_a_device_sees_versions_but_no_tags_and_no_metadata() -> None:
    twin = Twin(
        identity("press-7"),
        tags={"secret": 1},
        desired=Section(4, {"fan": {"speed": 3}}, {"$lastUpdated": 1.0}),
        reported=Section(9, {"ok": True}),
    )
    assert json.loads(encode_own_twin(twin)) == {
        "desired": {"fan": {"speed": 3}, "$version": 4},
        "reported": {"ok": True, "$version": 9},
    }


def test_a_notice_of_desired_properties_has_the_version_and_keeps_nulls() -> None:
    assert json.loads(encode_desired(5, {"gone": None, "b": 1})) == {"gone": None, "b": 1, "$version": 5}


def test_a_reported_patch_is_an_object() -> None:
    assert decode_reported(b'{"a": null}') == {"a": None}
    for bad in (b"", b"[]", b"1", b'{"a":1,"a":2}', b'{"a":' * 40 + b"1" + b"}" * 40):
        with pytest.raises(JsonInvalid):
            decode_reported(bad)
