"""Configurations as rows, and back."""

from dataclasses import asdict
from typing import Any

from ironhub.core.ids import Identity, identity
from ironhub.storage.sqlite.rows import json_object, json_text, reading
from ironhub.storage.sqlite.statements import Values
from ironhub.storage.sqlite.tables import Row
from ironhub.twins.configurations.model import Configuration, Content, ContentKind, Progress, Results, Write


def configuration_values(configuration: Configuration) -> Values:
    """All columns."""
    return {
        "configuration_id": configuration.id,
        "etag": configuration.etag,
        "created_at": configuration.created_at,
        "updated_at": configuration.updated_at,
        "priority": configuration.priority,
        "document": json_text(
            {
                "kind": configuration.content.kind.value,
                "writes": [[list(write.path), write.value, write.module] for write in configuration.content.writes],
                "target": configuration.target,
                "labels": dict(configuration.labels),
                "metrics": dict(configuration.metrics),
                "schema_version": configuration.schema_version,
            }
        ),
        "results": None if configuration.results is None else results_text(configuration.results),
    }


def configuration_of(row: Row) -> Configuration:
    """The configuration in a row of all columns. Raises CorruptStore."""
    configuration_id, etag, created_at, updated_at, priority, text, results = row
    with reading(f"configuration {configuration_id}"):
        document = json_object(text)
        return Configuration(
            id=configuration_id,
            etag=etag,
            created_at=created_at,
            updated_at=updated_at,
            priority=priority,
            content=_content(document),
            target=document["target"],
            labels=document["labels"],
            metrics=document["metrics"],
            schema_version=document["schema_version"],
            results=None if results is None else Results(**json_object(results)),
        )


def results_text(results: Results) -> str:
    """Results as they stand in a column."""
    return json_text(asdict(results))


def progress_text(progress: Progress) -> str:
    """Progress as it stands in a column."""
    after = None if progress.after is None else [progress.after.device_id, progress.after.module_id]
    return json_text({**asdict(progress), "after": after})


def progress_of(text: str) -> Progress:
    """The progress in a column. Raises CorruptStore."""
    with reading("the progress of configurations"):
        document = json_object(text)
        return Progress(_identity(document.pop("after")), **document)


def _content(document: dict[str, Any]) -> Content:
    writes = tuple(Write(tuple(path), value, module) for path, value, module in document["writes"])
    return Content(ContentKind(document["kind"]), writes)


def _identity(after: list[str] | None) -> Identity | None:
    return None if after is None else identity(*after)
