"""Digital twins: a twin as the model of its device describes it, and patches of it as desired properties.

A component is an object in the twin that carries the mark `"__t": "c"`; a writable property is reported as an object
with `value`, `ac` (status code), `av` (the desired version it answers) and `ad` (a description).
Source: azure "IoT Plug and Play conventions", "Understand IoT Plug and Play digital twins".
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from ironhub.core.errors import HubError
from ironhub.dialects.azure.json_patch import Operation, PatchOp, encode_pointer
from ironhub.dialects.azure.timestamps import instant
from ironhub.twins.model import Properties, Twin, merge

MARK: Final = "__t"
COMPONENT: Final = "c"
_METADATA: Final = "$metadata"
_ACKNOWLEDGEMENT: Final = {"av": "ackVersion", "ac": "ackCode", "ad": "ackDescription"}


class DigitalTwinPatchInvalid(HubError):
    """An operation of a patch cannot be done to this digital twin."""

    code: ClassVar[str] = "digital_twin.patch_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Read the digital twin again; replace and remove need a property that is there."


class DigitalTwinPathInvalid(HubError):
    """A path of a patch leads to nothing that can be written."""

    code: ClassVar[str] = "digital_twin.path_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Write /property, /component or /component/property; what begins with $ is read-only."


class DigitalTwinValueInvalid(HubError):
    """A value of a patch cannot be a property or a component."""

    code: ClassVar[str] = "digital_twin.value_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = 'Give a property any value but null, and a component an object with "$metadata": {}.'


class DesiredInvalid(HubError):
    """What a patch would make of the desired properties breaks a rule for twins."""

    code: ClassVar[str] = "digital_twin.desired_invalid"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Correct the property that the message names; the digital twin is unchanged."


def encode_digital_twin(twin: Twin, model_id: str) -> dict[str, Any]:
    """Return the document of a device that announced `model_id` (empty: none)."""
    desired, reported = twin.desired, twin.reported
    document, metadata = _part(
        desired.properties, desired.metadata, reported.properties, reported.metadata, components=True
    )
    return {"$dtId": str(twin.identity.device_id), **document, _METADATA: {"$model": model_id, **metadata}}


def desired_patch(twin: Twin, operations: Sequence[Operation]) -> Properties:
    """Return the merge patch of desired properties that `operations`, one after the other, come to.

    Raises DigitalTwinPatchInvalid, DigitalTwinPathInvalid, DigitalTwinValueInvalid.
    """
    before = twin.desired.properties
    after = dict(before)
    for operation in operations:
        _check_path(operation)
        if len(operation.path) == 1:
            _change_top(twin, after, operation)
        else:
            _change_in_component(twin, after, operation)
    patch: Properties = {}
    for name, *below in (operation.path for operation in operations):
        wanted, stands = after.get(name), before.get(name)
        if below and _is_component(wanted) and isinstance(patch.get(name, {}), dict):
            part = patch.setdefault(name, {MARK: COMPONENT})
            part[below[0]] = _leading_to(_object(stands).get(below[0]), _object(wanted).get(below[0]))
        else:
            patch[name] = _leading_to(stands, wanted)
    return patch


def command_name(command: str, component: str | None = None) -> str:
    """Return the direct method by which a command is called."""
    return command if component is None else f"{component}*{command}"


def _part(
    desired: Properties, wanted_at: Properties, reported: Properties, said_at: Properties, *, components: bool
) -> tuple[Properties, Properties]:
    """One interface: its properties as reported, and what is known of each of them."""
    document: Properties = {}
    metadata: Properties = {}
    for name in sorted(desired.keys() | reported.keys()):
        if name == MARK:
            continue
        wanted, said = desired.get(name), reported.get(name)
        below_wanted, below_said = _object(wanted_at.get(name)), _object(said_at.get(name))
        if components and (_is_component(wanted) or _is_component(said)):
            inner, known = _part(_object(wanted), below_wanted, _object(said), below_said, components=False)
            document[name] = {**inner, _METADATA: known}
            continue
        metadata[name] = _known(name in desired, wanted, below_wanted, said, below_said)
        if name in reported:
            document[name] = _value(said)
    return document, metadata


def _known(is_wanted: bool, wanted: Any, wanted_at: Properties, said: Any, said_at: Properties) -> Properties:
    shown: Properties = {}
    if is_wanted:
        shown |= {"desiredValue": wanted, "desiredVersion": wanted_at.get("$lastUpdatedVersion", 1)}
    if _is_acknowledgement(said):
        shown |= {ours: said[theirs] for theirs, ours in _ACKNOWLEDGEMENT.items() if theirs in said}
    instants = [each["$lastUpdated"] for each in (wanted_at, said_at) if "$lastUpdated" in each]
    return {**shown, "lastUpdateTime": instant(max(instants))} if instants else shown


def _value(said: Any) -> Any:
    return said.get("value") if _is_acknowledgement(said) else said


def _is_acknowledgement(said: Any) -> bool:
    return isinstance(said, dict) and "ac" in said and "av" in said


def _is_component(value: Any) -> bool:
    return isinstance(value, dict) and value.get(MARK) == COMPONENT


def _object(value: Any) -> Properties:
    return value if isinstance(value, dict) else {}


def _check_path(operation: Operation) -> None:
    if len(operation.path) > 2 or any(not step or step.startswith("$") or step == MARK for step in operation.path):
        raise DigitalTwinPathInvalid(f"{_shown(operation)} cannot be written")


def _change_top(twin: Twin, after: Properties, operation: Operation) -> None:
    """A property of the device itself, or a component as a whole."""
    name, value = operation.path[0], operation.value
    wanted, said = after.get(name), twin.reported.properties.get(name)
    if operation.op is not PatchOp.ADD:
        _must_be_there(operation, wanted, said)
    if operation.op is PatchOp.REMOVE:
        after.pop(name, None)
    elif _is_component(wanted) or _is_component(said) or (isinstance(value, dict) and _METADATA in value):
        after[name] = _component(operation)
    else:
        after[name] = _property(operation)


def _change_in_component(twin: Twin, after: Properties, operation: Operation) -> None:
    component, name = operation.path
    wanted, said = after.get(component), twin.reported.properties.get(component)
    for known in (wanted, said):
        if known is not None and not _is_component(known):
            raise DigitalTwinPathInvalid(f"{component[:100]!a} is a property and no component")
    if operation.op is not PatchOp.ADD:
        _must_be_there(operation, _object(wanted).get(name), _object(said).get(name))
    changed = {MARK: COMPONENT, **_object(wanted)}
    changed.pop(name, None)
    if operation.op is not PatchOp.REMOVE:
        changed[name] = _property(operation)
    after[component] = changed


def _leading_to(before: Any, after: Any) -> Any:
    """The merge patch that makes `after` of `before`, and names all of it: who listens is told again."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone: Properties = {key: None for key in before if key not in after}
    return {**gone, **{key: _leading_to(before.get(key), below) for key, below in after.items()}}


def _must_be_there(operation: Operation, wanted: Any, said: Any) -> None:
    if wanted is None and said is None:
        raise DigitalTwinPatchInvalid(f"there is nothing at {_shown(operation)}")


def _property(operation: Operation) -> Any:
    """A null inside an object means that nothing is there, as everywhere in a twin."""
    if operation.value is None:
        raise DigitalTwinValueInvalid(f"{_shown(operation)} would be null")
    return merge({}, operation.value) if isinstance(operation.value, dict) else operation.value


def _component(operation: Operation) -> Properties:
    if not isinstance(operation.value, dict):
        raise DigitalTwinValueInvalid(f"{_shown(operation)} is a component, so its value is an object")
    properties = {key: value for key, value in operation.value.items() if not key.startswith("$")}
    return {**merge({}, properties), MARK: COMPONENT}


def _shown(operation: Operation) -> str:
    return ascii(encode_pointer(operation.path)[:100])
