"""Devices, modules and job results as the documents that queries are about.

Protects the keys: they are not in a document, so no query can show or compare one.
"""

import json
from typing import Any

from ironhub.messaging.jobs.model import Target
from ironhub.messaging.methods.model import MethodAnswer
from ironhub.registry.model import Device, DeviceStatus, Module
from ironhub.twins.model import Section, Twin
from ironhub.twins.queries.model import NEVER, Row


def document_of(owner: Device | Module, twin: Twin) -> Row:
    """Return the document of a device or module and its twin."""
    primary, secondary = owner.credentials.thumbprints or (None, None)
    document: Row = {
        "device_id": str(owner.device_id),
        "identity_etag": owner.etag,
        "etag_counter": twin.etag_counter,
        "version": twin.version,
        "connected": owner.presence.connected,
        "last_activity_at": instant_of(owner.presence.last_activity_at),
        "pending_commands": owner.pending_commands,
        "credential_kind": owner.credentials.kind.value,
        "thumbprints": {"primary": primary, "secondary": secondary},
        "model_id": owner.presence.model_id,
        "tags": twin.tags,
        "sections": {"desired": section_of(twin.desired), "reported": section_of(twin.reported)},
        "configurations": twin.configurations,
    }
    return document | (_of_device(owner) if isinstance(owner, Device) else _of_module(owner))


def job_document(job_id: str, kind: str, target: Target, updated_at: float, *, module_id: str | None = None) -> Row:
    """Return the document of what a job did to one device."""
    known = {
        "started_at": target.started_at,
        "ended_at": target.ended_at,
        "module_id": module_id,
        "outcome": None if target.answer is None else answer_of(target.answer),
        "error": {"code": target.error_code, "description": target.error} if target.error_code else None,
    }
    return {
        "device_id": str(target.device_id),
        "job_id": job_id,
        "job_kind": kind,
        "target_status": target.status.value,
        "created_at": target.created_at,
        "updated_at": updated_at,
        **{name: value for name, value in known.items() if value is not None},
    }


def answer_of(answer: MethodAnswer) -> Row:
    """Return what a device said to a method; a payload that was not kept is null."""
    return {"status": answer.status, "payload": json.loads(answer.payload) if answer.payload else None}


def section_of(section: Section) -> Row:
    """Return a section of a twin."""
    return {"version": section.version, "properties": section.properties, "metadata": section.metadata}


def instant_of(at: float | None) -> float:
    """Return the instant, NEVER for none."""
    return NEVER if at is None else at


def _of_device(device: Device) -> Row:
    known: dict[str, Any] = {"status_reason": device.status_reason or None, "scope": device.scope}
    return {
        "status": device.status.value,
        "status_changed_at": instant_of(device.status_changed_at),
        "edge": {"capable": device.edge_capable},
        "parent_scopes": list(device.parent_scopes),
        **{name: value for name, value in known.items() if value is not None},
    }


def _of_module(module: Module) -> Row:
    return {
        "module_id": str(module.module_id),
        "status": DeviceStatus.ENABLED.value,
        "status_changed_at": NEVER,
    }
