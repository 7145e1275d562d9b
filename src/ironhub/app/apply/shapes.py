"""What a file for `ironhub apply` may say, and how its mistakes are told."""

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ironhub.app.apply.text import FileInvalid, Text
from ironhub.app.cli.options import Auth

MAX_SHOWN: Final = 20
"""Mistakes that one message names."""

Id = Annotated[str, Field(min_length=1, max_length=128)]
Rights = Literal["RegistryRead", "RegistryWrite", "ServiceConnect", "DeviceConnect"]


class Wanted(BaseModel):
    """Base of what a file may say: a field that nobody knows is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class WantedPolicy(Wanted):
    """A shared access policy; its keys are the hub's own."""

    name: Id
    rights: frozenset[Rights] = Field(min_length=1)


class WantedAuthority(Wanted):
    """A certificate authority; its files lie beside the file that names them."""

    name: Id
    certificate: Path
    proof: Path | None = None
    """The certificate that proves possession of its key; used as long as it is not verified."""
    revocation_list: Path | None = None


class WantedAuth(Wanted):
    """How a device or module proves itself. Keys come from a file or the environment; without them: any two keys."""

    kind: Auth
    thumbprints: tuple[str, ...] = Field(default=(), max_length=2)
    key_file: Path | None = None
    """Two keys, base64, one a line."""
    key_env: tuple[str, str] | None = None
    """The names of two environment variables, each with one key."""

    @model_validator(mode="after")
    def _fits(self) -> "WantedAuth":
        if (self.kind is Auth.X509_THUMBPRINT) != bool(self.thumbprints):
            raise ValueError("one or two thumbprints belong to x509-thumbprint, and to nothing else")
        if self.key_file and self.key_env:
            raise ValueError("give key_file or key_env, not both")
        if (self.key_file or self.key_env) and self.kind is not Auth.SAS:
            raise ValueError("keys belong to sas")
        return self


class WantedTwin(Wanted):
    """Properties that shall stand in a twin; null: that shall not. What is not named stays as it is."""

    tags: dict[str, Any] = Field(default_factory=dict)
    desired: dict[str, Any] = Field(default_factory=dict)


class WantedModule(WantedTwin):
    """A module."""

    id: Id
    auth: WantedAuth | None = None
    managed_by: str | None = None


class WantedDevice(WantedTwin):
    """A device. What is left out stays as it is."""

    id: Id
    auth: WantedAuth | None = None
    status: Literal["enabled", "disabled"] | None = None
    status_reason: str | None = None
    edge_capable: bool | None = None
    modules: tuple[WantedModule, ...] | None = None


class WantedContent(Wanted):
    """What a configuration writes, of exactly one kind; the admin API says what stands in each."""

    device: dict[str, Any] | None = None
    module: dict[str, Any] | None = None
    modules: dict[str, dict[str, Any]] | None = None


class WantedConfiguration(Wanted):
    """An automatic configuration."""

    id: Id
    content: WantedContent
    target: str
    priority: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, str] = Field(default_factory=dict)


class WantedHub(Wanted):
    """Everything that a file may say. A section that is left out is not looked at."""

    version: Literal[1]
    policies: tuple[WantedPolicy, ...] | None = None
    authorities: tuple[WantedAuthority, ...] | None = None
    devices: tuple[WantedDevice, ...] | None = None
    configurations: tuple[WantedConfiguration, ...] | None = None


def wanted_hub(text: Text) -> WantedHub:
    """Return what the file says. Raises FileInvalid with every mistake and its line."""
    try:
        hub = WantedHub.model_validate(text.value)
    except ValidationError as error:
        raise FileInvalid(_told(text, error)) from None
    _check_twice(text, "policies", [policy.name.lower() for policy in hub.policies or ()])
    _check_twice(text, "authorities", [authority.name for authority in hub.authorities or ()])
    _check_twice(text, "devices", [device.id for device in hub.devices or ()])
    _check_twice(text, "configurations", [each.id for each in hub.configurations or ()])
    for number, device in enumerate(hub.devices or ()):
        _check_twice(text, "devices", [module.id for module in device.modules or ()], number, "modules")
    return hub


def keys_of(auth: WantedAuth, beside: Path) -> dict[str, str] | None:
    """Return the two keys that `auth` points at, None when it does not. Raises FileInvalid, OSError."""
    if auth.key_file is not None:
        found = (beside / auth.key_file).read_text(encoding="ascii", errors="replace").split()
    elif auth.key_env is not None:
        found = [os.environ[name] for name in auth.key_env if name in os.environ]
    else:
        return None
    if len(found) != 2:
        raise FileInvalid(f"{auth.key_file or ' and '.join(auth.key_env or ())}: two keys are wanted there")
    return {"primary": found[0], "secondary": found[1]}


def _told(text: Text, error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    told = [
        f"line {text.line(problem['loc'])}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in problems[:MAX_SHOWN]
    ]
    more = [f"and {len(problems) - MAX_SHOWN} more"] if len(problems) > MAX_SHOWN else []
    return "; ".join([*told, *more])


def _check_twice(text: Text, section: str, names: list[str], *below: str | int) -> None:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise FileInvalid(f"line {text.line((section, *below, number))}: {name!r} stands there twice")
        seen.add(name)
