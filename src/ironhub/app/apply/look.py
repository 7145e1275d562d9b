"""Reads what a hub holds of what a file names, and says what has to change."""

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

from ironhub.app.apply.plan import (
    Change,
    Kind,
    Step,
    auth_change,
    auth_taken,
    field_lines,
    not_wanted,
    twin_change,
)
from ironhub.app.apply.shapes import (
    WantedAuth,
    WantedAuthority,
    WantedConfiguration,
    WantedDevice,
    WantedHub,
    WantedPolicy,
    WantedTwin,
    keys_of,
)
from ironhub.app.cli.client import AdminClient
from ironhub.app.cli.problems import Problem
from ironhub.app.policies import BUILT_IN
from ironhub.identity.policy import DEFAULT_POLICY
from ironhub.pki.reading import read_certificate, read_revocation_list

PAGE: Final = 1000
_NO_TWIN: Final[dict[str, Any]] = {"tags": {}, "desired": {}}
_OWN_FIELDS: Final = ("status", "status_reason", "edge_capable")


class Look:
    """One look at a hub, to compare it with what is wanted."""

    def __init__(self, hub: AdminClient, beside: Path, *, prune: bool = False) -> None:
        """Make it; paths in the file are relative to `beside`, and `prune` deletes what the file does not name."""
        self._hub = hub
        self._beside = beside
        self._prune = prune

    async def changes(self, wanted: WantedHub) -> list[Change]:
        """Return all that has to change, in the order in which it can; deletions come last. Raises Problem, OSError."""
        made = [
            *await self._policies(wanted.policies),
            *await self._authorities(wanted.authorities),
            *[change async for change in self._devices(wanted.devices or ())],
        ]
        made += await self._configurations(wanted.configurations)
        if self._prune and wanted.devices is not None:
            made += await self._surplus_devices([device.id for device in wanted.devices])
        return sorted(made, key=lambda change: change.kind is Kind.DELETE)

    async def _policies(self, wanted: Sequence[WantedPolicy] | None) -> list[Change]:
        if wanted is None:
            return []
        stored = {policy["name"].lower(): policy for policy in (await self._hub.get("policies"))["policies"]}
        changes = []
        for policy in wanted:
            here = stored.get(policy.name.lower())
            rights = sorted(policy.rights)
            lines = field_lines({"rights": rights}, {"rights": sorted(here["rights"])} if here else {})
            if lines:
                step = Step("PUT", ("policies", policy.name), {"rights": rights})
                kind = Kind.CHANGE if here else Kind.CREATE
                changes.append(Change(kind, f"policy {policy.name}", tuple(lines), (step,)))
        if self._prune:
            kept = [*(policy.name.lower() for policy in wanted), *(name.lower() for name in BUILT_IN)]
            changes += [_deleted("policy", "policies", stored[name]["name"]) for name in not_wanted(stored, kept)]
        return changes

    async def _authorities(self, wanted: Sequence[WantedAuthority] | None) -> list[Change]:
        if wanted is None:
            return []
        stored = {each["name"]: each for each in (await self._hub.get("authorities"))["authorities"]}
        changes = [change for authority in wanted if (change := self._authority(authority, stored.get(authority.name)))]
        if self._prune:
            surplus = not_wanted(stored, [authority.name for authority in wanted])
            changes += [_deleted("authority", "authorities", name) for name in surplus]
        return changes

    def _authority(self, wanted: WantedAuthority, stored: dict[str, Any] | None) -> Change | None:
        what, path = f"authority {wanted.name}", ("authorities", wanted.name)
        certificate = read_certificate(self._read(wanted.certificate), DEFAULT_POLICY)[0]
        steps, lines = [], []
        same = stored is not None and stored["sha256_thumbprint"] == hashlib.sha256(certificate).hexdigest()
        if stored is not None and not same:
            # Another certificate is another authority: devices below the old one must not stay in.
            steps.append(Step("DELETE", path))
            lines.append("~ certificate: another one; it has to be verified anew")
        if not same:
            steps.append(Step("POST", path[:1], {"name": wanted.name, "content_base64": _base64(certificate)}))
        if wanted.proof is not None and same and stored is not None and not stored["verified"]:
            lines.append("~ verified: false → true")
            steps.append(Step("POST", (*path, "proof"), {"content_base64": _base64(self._read(wanted.proof))}))
        if wanted.revocation_list is not None:
            content = read_revocation_list(self._read(wanted.revocation_list))
            if not same or stored is None or stored["revocation_list_sha256"] != hashlib.sha256(content).hexdigest():
                lines.append("~ revocation list: another one")
                steps.append(Step("PUT", (*path, "revocation-list"), {"content_base64": _base64(content)}))
        if not steps:
            return None
        return Change(Kind.CHANGE if stored else Kind.CREATE, what, tuple(lines), tuple(steps))

    async def _devices(self, wanted: Sequence[WantedDevice]) -> AsyncIterator[Change]:
        for device in wanted:
            path = ("devices", device.id)
            keys = keys_of(device.auth, self._beside) if device.auth else None
            stored = await self._found(*path, keys=True)
            own = {name: value for name in _OWN_FIELDS if (value := getattr(device, name)) is not None}
            change = _identity_change(f"device {device.id}", path, "device_id", device.auth, keys, own, stored)
            twin = await self._twin(device, stored is not None, device.id)
            if whole := _with_twin(change, twin, f"device {device.id}"):
                yield whole
            async for below in self._modules(device, stored is not None):
                yield below

    async def _modules(self, device: WantedDevice, device_is_there: bool) -> AsyncIterator[Change]:
        if device.modules is None:
            return
        path = ("devices", device.id, "modules")
        listed = (await self._hub.get(*path))["modules"] if device_is_there else []
        stored = {module["module_id"] for module in listed}
        for module in device.modules:
            what = f"module {device.id}/{module.id}"
            here = await self._hub.get(*path, module.id, keys=True) if module.id in stored else None
            keys = keys_of(module.auth, self._beside) if module.auth else None
            own = {} if module.managed_by is None else {"managed_by": module.managed_by}
            change = _identity_change(what, (*path, module.id), "module_id", module.auth, keys, own, here)
            twin = await self._twin(module, here is not None, device.id, module.id)
            if whole := _with_twin(change, twin, what):
                yield whole
        if self._prune:
            kept = [module.id for module in device.modules]
            for name in not_wanted(sorted(stored), kept):
                if not name.startswith("$"):  # the hub's own, which come and go with their device
                    yield Change(Kind.DELETE, f"module {device.id}/{name}", (), (Step("DELETE", (*path, name)),))

    async def _twin(self, wanted: WantedTwin, is_there: bool, device: str, module: str | None = None) -> Change | None:
        if not wanted.tags and not wanted.desired:
            return None
        stored, etag = _NO_TWIN, None
        if is_there:
            twin = await self._hub.get("twins", device, module=module)
            stored, etag = {"tags": twin["tags"], "desired": twin["desired"]["properties"]}, twin["etag"]
        patch, lines = twin_change(wanted, stored)
        if not patch:
            return None
        return Change(Kind.CHANGE, "", tuple(lines), (Step("PATCH", ("twins", device), patch, etag, module),))

    async def _configurations(self, wanted: Sequence[WantedConfiguration] | None) -> list[Change]:
        if wanted is None:
            return []
        stored = {each["id"]: each for each in (await self._hub.get("configurations"))["configurations"]}
        changes = [change for each in wanted if (change := _configuration_change(each, stored.get(each.id)))]
        if self._prune:
            surplus = not_wanted(stored, [each.id for each in wanted])
            changes += [_deleted("configuration", "configurations", name) for name in surplus]
        return changes

    async def _surplus_devices(self, wanted: list[str]) -> list[Change]:
        changes: list[Change] = []
        kept, after = set(wanted), None
        while True:
            page = await self._hub.get("devices", after=after, limit=PAGE)
            names = [device["device_id"] for device in page["devices"]]
            changes += [_deleted("device", "devices", name) for name in names if name not in kept]
            after = page["after"]
            if after is None:
                return changes

    async def _found(self, *path: str, **query: Any) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self._hub.get(*path, **query)
        except Problem as problem:
            if problem.status == 404:
                return None
            raise
        return found

    def _read(self, path: Path) -> bytes:
        return (self._beside / path).read_bytes()


def _identity_change(
    what: str,
    path: tuple[str, ...],
    id_field: str,
    auth: WantedAuth | None,
    keys: dict[str, str] | None,
    own: dict[str, Any],
    stored: dict[str, Any] | None,
) -> Change | None:
    if stored is None:
        body = {id_field: path[-1], **own} | ({"auth": auth_taken(auth, keys)} if auth else {})
        shown = {"auth": auth.kind.value if auth else "sas", **own}
        lines = [f"+ {name}: {value}" for name, value in shown.items()]
        return Change(Kind.CREATE, what, tuple(lines), (Step("POST", path[:-1], body),))
    taken, lines = auth_change(auth, keys, stored["auth"])
    lines += field_lines(own, stored)
    if not lines:
        return None
    body = {name: value for name, value in own.items() if value != stored[name]} | ({"auth": taken} if taken else {})
    return Change(Kind.CHANGE, what, tuple(lines), (Step("PATCH", path, body, stored["etag"]),))


def _configuration_change(wanted: WantedConfiguration, stored: dict[str, Any] | None) -> Change | None:
    """Content never changes: another one is another configuration."""
    what, path = f"configuration {wanted.id}", ("configurations", wanted.id)
    body = wanted.model_dump(exclude_none=True)
    lines = field_lines({name: value for name, value in body.items() if name != "id"}, stored or {})
    if stored is None:
        return Change(Kind.CREATE, what, tuple(lines), (Step("POST", path[:1], body),))
    if not lines:
        return None
    if field_lines({"content": body["content"]}, stored):
        return Change(Kind.CHANGE, what, tuple(lines), (Step("DELETE", path), Step("POST", path[:1], body)))
    changed = {name: value for name, value in body.items() if name not in ("id", "content")}
    return Change(Kind.CHANGE, what, tuple(lines), (Step("PATCH", path, changed, stored["etag"]),))


def _with_twin(change: Change | None, twin: Change | None, what: str) -> Change | None:
    """A twin is shown with its identity: one thing for people, two calls for the hub."""
    if twin is None:
        return change
    if change is None:
        return Change(Kind.CHANGE, what, twin.lines, twin.steps)
    return Change(change.kind, what, (*change.lines, *twin.lines), (*change.steps, *twin.steps))


def _deleted(what: str, collection: str, name: str) -> Change:
    return Change(Kind.DELETE, f"{what} {name}", (), (Step("DELETE", (collection, name)),))


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
