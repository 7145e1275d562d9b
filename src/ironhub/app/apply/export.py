"""What a hub holds, as a file that `ironhub apply` takes. Keys stay where they are."""

from typing import Any, Final

from ironhub.app.cli.client import AdminClient

PAGE: Final = 1000
_CONFIGURATION: Final = ("id", "target", "priority", "labels", "metrics", "content")


async def exported(hub: AdminClient) -> dict[str, Any]:
    """Return all policies, devices and modules with their twins; authorities by the name of a file beside it."""
    policies = (await hub.get("policies"))["policies"]
    authorities = (await hub.get("authorities"))["authorities"]
    return {
        "version": 1,
        "policies": [{"name": policy["name"], "rights": policy["rights"]} for policy in policies],
        "authorities": [{"name": each["name"], "certificate": certificate_file(each["name"])} for each in authorities],
        "devices": await _devices(hub),
        "configurations": [
            {name: each[name] for name in _CONFIGURATION}
            for each in (await hub.get("configurations"))["configurations"]
        ],
    }


async def certificates(hub: AdminClient) -> dict[str, str]:
    """Return the certificates (PEM) of all authorities by the name of their file."""
    authorities = (await hub.get("authorities"))["authorities"]
    return {certificate_file(each["name"]): each["certificate_pem"] for each in authorities}


def certificate_file(name: str) -> str:
    """Return the name of the file that holds an authority's certificate."""
    return f"{name}.pem"


async def _devices(hub: AdminClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = await hub.get("devices", after=after, limit=PAGE)
        found += [await _device(hub, device) for device in page["devices"]]
        after = page["after"]
        if after is None:
            return found


async def _device(hub: AdminClient, device: dict[str, Any]) -> dict[str, Any]:
    name = device["device_id"]
    modules = (await hub.get("devices", name, "modules"))["modules"]
    below = [
        _without_nothing(
            {
                "id": module["module_id"],
                "auth": _auth(module["auth"]),
                "managed_by": module["managed_by"],
                **await _twin(hub, name, module["module_id"]),
            }
        )
        for module in modules
        if not module["module_id"].startswith("$")
    ]
    own = {
        "id": name,
        "auth": _auth(device["auth"]),
        "status": device["status"],
        "status_reason": device["status_reason"],
        "edge_capable": device["edge_capable"] or None,
        **await _twin(hub, name),
        "modules": below,
    }
    return _without_nothing(own)


def _auth(auth: dict[str, Any]) -> dict[str, Any]:
    return _without_nothing({"kind": auth["kind"], "thumbprints": auth["thumbprints"]})


async def _twin(hub: AdminClient, device: str, module: str | None = None) -> dict[str, Any]:
    twin = await hub.get("twins", device, module=module)
    return {"tags": twin["tags"], "desired": twin["desired"]["properties"]}


def _without_nothing(value: dict[str, Any]) -> dict[str, Any]:
    return {name: shown for name, shown in value.items() if shown not in (None, [], {}, ())}
