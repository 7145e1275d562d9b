"""Automatic configurations and edge deployments as the service REST API shows and takes them.

Source: azure "Automatic device and module management using the CLI", REST reference of IoT Hub service. SDKs send back
whole configurations as they read them: what only the hub writes is left aside.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import decode_json_object
from ironhub.dialects.azure.configuration_queries import system_queries
from ironhub.dialects.azure.identity_json import IdMismatch
from ironhub.dialects.azure.timestamps import instant
from ironhub.twins.configurations.errors import ConfigurationContentInvalid, ConfigurationSchemaUnknown
from ironhub.twins.configurations.model import (
    Configuration,
    ConfigurationDraft,
    Content,
    ContentKind,
    Results,
    Write,
)
from ironhub.twins.configurations.service import Verdicts

_SECTION: Final = "properties.desired"
_SCHEMA: Final = re.compile(r"[12]\.[0-9]\Z")
_NAMES: Final = {
    ContentKind.DEVICE: "deviceContent",
    ContentKind.EDGE: "modulesContent",
    ContentKind.MODULE: "moduleContent",
}


class Asked(NamedTuple):
    """What shall be tried: a target condition, and queries by the name of their metric."""

    target: str | None
    metrics: dict[str, str]


def decode_configuration(data: bytes, configuration_id: str) -> ConfigurationDraft:
    """Return what the body of a PUT wants.

    Raises:
        JsonInvalid, IdMismatch, InvalidArgument: a field is of the wrong kind; ConfigurationContentInvalid,
        ConfigurationSchemaUnknown.
    """
    body = decode_json_object(data)
    if body.get("id") not in (None, configuration_id):
        raise IdMismatch("the id in the body is not that in the address")
    return draft_of(body)


def draft_of(body: Mapping[str, Any]) -> ConfigurationDraft:
    """Return what a configuration written in the vendor's words wants. Raises as `decode_configuration`."""
    content, metrics = _typed(body, "content", dict), _typed(body, "metrics", dict)
    priority = _typed(body, "priority", int)
    if isinstance(priority, bool):
        raise InvalidArgument("priority must be a number")
    schema = _typed(body, "schemaVersion", str)
    if schema is not None and not _SCHEMA.match(schema):
        raise ConfigurationSchemaUnknown("this schemaVersion is not known")
    return ConfigurationDraft(
        content=None if content is None else _one_content(content),
        target=_typed(body, "targetCondition", str),
        priority=priority,
        labels=_texts(body, "labels"),
        metrics=None if metrics is None else _texts(metrics, "queries"),
        schema_version=schema,
    )


def is_vendors(body: Mapping[str, Any]) -> bool:
    """Whether a configuration is written in the vendor's words."""
    content = body.get("content")
    return "targetCondition" in body or (isinstance(content, dict) and bool(content.keys() & set(_NAMES.values())))


def decode_contents(data: bytes) -> list[Content]:
    """Return what is to be applied to one device. Raises JsonInvalid, ConfigurationContentInvalid."""
    return _contents(decode_json_object(data))


def decode_test(data: bytes) -> Asked:
    """Return what is to be tried. Raises JsonInvalid, InvalidArgument."""
    body = decode_json_object(data)
    return Asked(_typed(body, "targetCondition", str), _texts(body, "customMetricQueries") or {})


def encode_configuration(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration with its newest results."""
    results = configuration.results or Results(0.0)
    counted = {"targetedCount": results.targeted, "appliedCount": results.applied}
    if configuration.content.kind is ContentKind.EDGE:
        counted["reportedSuccessfulCount"] = results.reported_successful
        counted["reportedFailedCount"] = results.reported_failed
    return {
        "id": configuration.id,
        "schemaVersion": configuration.schema_version,
        "labels": dict(configuration.labels),
        "content": encode_content(configuration.content),
        "targetCondition": configuration.target,
        "createdTimeUtc": instant(configuration.created_at),
        "lastUpdatedTimeUtc": instant(configuration.updated_at),
        "priority": configuration.priority,
        "systemMetrics": {"results": counted, "queries": system_queries(configuration)},
        "metrics": {"results": dict(results.custom), "queries": dict(configuration.metrics)},
        "etag": configuration.etag,
    }


def encode_content(content: Content) -> dict[str, Any]:
    """Return content under the name of its kind."""
    if content.kind is not ContentKind.EDGE:
        return {_NAMES[content.kind]: {_key(write.path): write.value for write in content.writes}}
    modules: dict[str, dict[str, Any]] = {module: {} for module in content.modules()}
    for write in content.writes:
        modules[str(write.module)][_key(write.path)] = write.value
    return {_NAMES[content.kind]: modules}


def encode_verdicts(verdicts: Verdicts) -> dict[str, Any]:
    """Return what is wrong with what was tried."""
    return {"targetConditionError": verdicts.target, "customMetricQueryErrors": dict(verdicts.metrics)}


def _one_content(given: Mapping[str, Any]) -> Content:
    contents = _contents(given)
    if len(contents) != 1:
        raise ConfigurationContentInvalid(f"give exactly one of {', '.join(_NAMES.values())}")
    return contents[0]


def _contents(given: Mapping[str, Any]) -> list[Content]:
    """Each kind that is not empty: SDKs name all of them."""
    contents = []
    for kind, name in _NAMES.items():
        below = given.get(name)
        if below is not None and not isinstance(below, dict):
            raise ConfigurationContentInvalid(f"{name} must be a JSON object")
        if not below:
            continue
        if kind is not ContentKind.EDGE:
            contents.append(Content(kind, _writes(name, below, None)))
            continue
        writes: list[Write] = []
        for module, its in below.items():
            writes += _writes(f"{name} of {module[:128]!a}", its, module)
        contents.append(Content(kind, tuple(writes)))
    return contents


def _writes(name: str, given: Any, module: str | None) -> tuple[Write, ...]:
    if not isinstance(given, dict) or not given:
        raise ConfigurationContentInvalid(f"{name} must be a JSON object that is not empty")
    return tuple(Write(_path(name, key), value, module) for key, value in given.items())


def _path(name: str, key: str) -> tuple[str, ...]:
    section, _, rest = key[len(_SECTION) :].partition(".")
    if not key.startswith(_SECTION) or section:
        raise ConfigurationContentInvalid(f"{name} has the key {key[:128]!a}, which does not begin with {_SECTION}")
    if key == _SECTION:
        return ()
    return tuple(rest.split("."))


def _key(path: tuple[str, ...]) -> str:
    return ".".join((_SECTION, *path))


def _texts(body: Mapping[str, Any], name: str) -> dict[str, str] | None:
    given: dict[str, str] | None = _typed(body, name, dict)
    if given is not None and not all(isinstance(value, str) for value in given.values()):
        raise InvalidArgument(f"{name} must be an object of texts")
    return given


def _typed(body: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidArgument(f"{name} is of the wrong kind")
    return value
