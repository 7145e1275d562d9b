from dataclasses import replace
from typing import Any

import pytest

from ironhub.core.ids import identity
from ironhub.dialects.azure.digital_twin_json import (
    DigitalTwinPatchInvalid,
    DigitalTwinPathInvalid,
    DigitalTwinValueInvalid,
    command_name,
    desired_patch,
    encode_digital_twin,
)
from ironhub.dialects.azure.json_patch import Operation, PatchOp
from ironhub.twins.model import Properties, Section, Twin, merge, with_patch

NOON = 1_769_860_800.0
NOON_TEXT, LATER_TEXT = "2026-01-31T12:00:00.0000000Z", "2026-01-31T12:00:05.0000000Z"
EMPTY = Twin(identity("press-7"))
ADD, REPLACE, REMOVE = PatchOp.ADD, PatchOp.REPLACE, PatchOp.REMOVE


def twin(desired: Properties, reported: Properties) -> Twin:
    return replace(
        EMPTY,
        desired=with_patch(Section(), desired, at=NOON, count_versions=True),
        reported=with_patch(Section(), reported, at=NOON + 5, count_versions=False),
    )


PLANT = twin(
    {"target": 21, "unheard": {"x": 1}, "press": {"__t": "c", "force": 3}},
    {
        "target": {"value": 20, "ac": 200, "av": 2, "ad": "heating"},
        "serial": "s-1",
        "press": {"__t": "c", "force": {"value": 3, "ac": 202, "av": 1}, "hot": True},
    },
)


def test_a_device_without_a_model_has_an_empty_one() -> None:
    assert encode_digital_twin(EMPTY, "") == {"$dtId": "press-7", "$metadata": {"$model": ""}}


def test_properties_and_components_are_shown_as_reported_with_what_is_wanted_of_them() -> None:
    assert encode_digital_twin(PLANT, "dtmi:acme:Plant;1") == {
        "$dtId": "press-7",
        "target": 20,
        "serial": "s-1",
        "press": {
            "force": 3,
            "hot": True,
            "$metadata": {
                "force": {
                    "desiredValue": 3,
                    "desiredVersion": 2,
                    "ackVersion": 1,
                    "ackCode": 202,
                    "lastUpdateTime": LATER_TEXT,
                },
                "hot": {"lastUpdateTime": LATER_TEXT},
            },
        },
        "$metadata": {
            "$model": "dtmi:acme:Plant;1",
            "target": {
                "desiredValue": 21,
                "desiredVersion": 2,
                "ackVersion": 2,
                "ackCode": 200,
                "ackDescription": "heating",
                "lastUpdateTime": LATER_TEXT,
            },
            "serial": {"lastUpdateTime": LATER_TEXT},
            "unheard": {"desiredValue": {"x": 1}, "desiredVersion": 2, "lastUpdateTime": NOON_TEXT},
        },
    }


@pytest.mark.parametrize(
    ("operations", "patch"),
    [
        ([], {}),
        ([Operation(ADD, ("target",), 21)], {"target": 21}),
        ([Operation(REPLACE, ("serial",), "s-2")], {"serial": "s-2"}),
        ([Operation(REMOVE, ("target",))], {"target": None}),
        ([Operation(REPLACE, ("unheard",), {"y": None, "z": 2})], {"unheard": {"x": None, "z": 2}}),
        (
            [Operation(REPLACE, ("unheard",), {"y": 1}), Operation(REPLACE, ("unheard",), {"z": 1})],
            {"unheard": {"x": None, "z": 1}},
        ),
        ([Operation(ADD, ("press", "force"), 4)], {"press": {"__t": "c", "force": 4}}),
        ([Operation(REPLACE, ("press", "hot"), False)], {"press": {"__t": "c", "hot": False}}),
        ([Operation(REMOVE, ("press", "force"))], {"press": {"__t": "c", "force": None}}),
        ([Operation(REMOVE, ("press", "hot"))], {"press": {"__t": "c", "hot": None}}),
        ([Operation(REPLACE, ("press",), {"$metadata": {}, "n": 1})], {"press": {"__t": "c", "force": None, "n": 1}}),
        ([Operation(ADD, ("lathe",), {"$metadata": {}, "n": 1})], {"lathe": {"__t": "c", "n": 1}}),
        ([Operation(ADD, ("lathe", "n"), 1)], {"lathe": {"__t": "c", "n": 1}}),
        ([Operation(REMOVE, ("press",))], {"press": None}),
        ([Operation(ADD, ("lathe", "n"), 1), Operation(REMOVE, ("lathe",))], {"lathe": None}),
    ],
)
def test_operations_become_desired_properties(operations: list[Operation], patch: Properties) -> None:
    assert desired_patch(PLANT, operations) == patch
    before = dict(PLANT.desired.properties)
    merge(PLANT.desired.properties, patch)
    assert PLANT.desired.properties == before


@pytest.mark.parametrize(
    ("error", "op", "path", "value"),
    [
        (DigitalTwinPatchInvalid, REPLACE, ("nothing",), 1),
        (DigitalTwinPatchInvalid, REMOVE, ("nothing",), None),
        (DigitalTwinPatchInvalid, REMOVE, ("press", "nothing"), None),
        (DigitalTwinPathInvalid, ADD, ("$metadata",), {}),
        (DigitalTwinPathInvalid, ADD, ("press", "$metadata"), {}),
        (DigitalTwinPathInvalid, ADD, ("press", "__t"), "x"),
        (DigitalTwinPathInvalid, ADD, ("press", ""), 1),
        (DigitalTwinPathInvalid, ADD, ("press", "force", "x"), 1),
        (DigitalTwinPathInvalid, ADD, ("unheard", "y"), 1),
        (DigitalTwinPathInvalid, ADD, ("serial", "y"), 1),
        (DigitalTwinValueInvalid, ADD, ("target",), None),
        (DigitalTwinValueInvalid, ADD, ("press", "force"), None),
        (DigitalTwinValueInvalid, ADD, ("press",), 1),
    ],
)
def test_what_cannot_be_is_refused(error: type[Exception], op: PatchOp, path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(error):
        desired_patch(PLANT, [Operation(op, path, value)])


def test_a_command_of_a_component_is_a_method_with_both_names() -> None:
    assert command_name("reboot") == "reboot"
    assert command_name("reboot", "press") == "press*reboot"
