"""Lines of import and export files in our own words: what one device or module is, and what shall become of it."""

from typing import Any, Final

from pydantic import Field, ValidationError

from ironhub.console.shapes import Given, Taken
from ironhub.console.shapes.credentials import AuthTaken, credentials_given, credentials_taken
from ironhub.core.errors import HubError, InvalidArgument
from ironhub.core.ids import MAX_ID_LENGTH, identity
from ironhub.core.strict_json import decode_json_object, encode_json
from ironhub.provisioning.bulk.model import BulkResult, Registered, Row, RowError, RowMode, SectionWish, TwinWish
from ironhub.registry.model import MAX_STATUS_REASON, Device, DeviceDraft, DeviceStatus, ModuleDraft
from ironhub.twins.model import FIRST_VERSION

MAX_SCOPE: Final = 256


class RowTaken(Taken):
    """One line of a file. What is left out stays as it is, or is what a new device has."""

    device_id: str = Field(max_length=MAX_ID_LENGTH)
    module_id: str | None = Field(default=None, max_length=MAX_ID_LENGTH)
    """For a module of the device."""
    mode: RowMode | None = None
    """What to do; null: what the whole import does."""
    etag: str | None = Field(default=None, max_length=128)
    """The etag that must be stored; null: any."""
    twin_etag: str | None = Field(default=None, max_length=128)
    """As `etag`, of the twin."""
    status: DeviceStatus | None = None
    status_reason: str | None = Field(default=None, max_length=MAX_STATUS_REASON)
    auth: AuthTaken | None = None
    edge_capable: bool | None = None
    scope: str | None = Field(default=None, max_length=MAX_SCOPE)
    """The scope of the edge device above it."""
    parent_scopes: tuple[str, ...] | None = Field(default=None, max_length=1)
    managed_by: str | None = Field(default=None, max_length=MAX_ID_LENGTH)
    """Of a module."""
    tags: dict[str, Any] | None = None
    desired: dict[str, Any] | None = None
    reported: dict[str, Any] | None = None

    def row(self, mode: RowMode | None) -> Row:
        """Return it for the bulk service; `mode` wins over the line's own. Raises InvalidId, InvalidArgument."""
        credentials = credentials_taken(self.auth)
        return Row(
            identity=identity(self.device_id, self.module_id),
            mode=mode or self.mode or RowMode.CREATE,
            if_match=self.etag,
            twin_if_match=self.twin_etag,
            device=DeviceDraft(
                status=self.status,
                status_reason=self.status_reason,
                credentials=credentials,
                edge_capable=self.edge_capable,
                scope=self.scope,
                parent_scopes=self.parent_scopes,
            ),
            module=ModuleDraft(credentials=credentials, managed_by=self.managed_by),
            twin=TwinWish(self.tags, _wish(self.desired), _wish(self.reported)),
            parent_may_follow=True,
        )


class FailureGiven(Given):
    """A line that changed nothing, and why."""

    row: int
    """Its place in the request, from 0."""
    device_id: str | None
    """Null: it could not be read."""
    module_id: str | None
    code: str
    message: str
    next_step: str


class ImportGiven(Given):
    """What became of some lines of an import."""

    done: int
    failures: tuple[FailureGiven, ...]

    @classmethod
    def of(cls, result: BulkResult) -> "ImportGiven":
        """Return what callers see of `result`."""
        return cls(done=result.done, failures=tuple(_failure(each) for each in result.errors))


class ImportStateGiven(Given):
    """How far an import got."""

    position: int
    """Lines that were taken, from the beginning of the file."""
    newest: ImportGiven
    """What became of the lines of the newest request."""


def taken_line(line: bytes, mode: RowMode | None) -> Row:
    """Return the row that a line stands for. Raises JsonInvalid, InvalidArgument, InvalidId."""
    body = decode_json_object(line)
    try:
        return RowTaken.model_validate(body).row(mode)
    except ValidationError as error:
        raise InvalidArgument("; ".join(map(_problem, error.errors(include_input=False, include_url=False)))) from None


def given_line(registered: Registered, *, with_keys: bool, with_twin: bool) -> bytes:
    """Return the line of an export file, which `taken_line` understands."""
    owner, twin = registered
    shown: dict[str, Any] = {"device_id": owner.device_id}
    if isinstance(owner, Device):
        shown["status"] = owner.status.value
        if owner.status_reason:
            shown["status_reason"] = owner.status_reason
        if owner.edge_capable:
            shown["edge_capable"] = True
        if owner.scope is not None:
            shown |= {"scope": owner.scope, "parent_scopes": list(owner.parent_scopes)}
    else:
        shown |= {"module_id": owner.module_id} | ({"managed_by": owner.managed_by} if owner.managed_by else {})
    auth = credentials_given(owner.credentials, with_keys=with_keys)
    shown["auth"] = auth.model_dump(mode="json", exclude_none=True)
    if with_twin and twin.version >= FIRST_VERSION:
        sections = {"tags": twin.tags, "desired": twin.desired.properties, "reported": twin.reported.properties}
        shown |= {name: section for name, section in sections.items() if section}
    return encode_json(shown)


def _wish(properties: dict[str, Any] | None) -> SectionWish | None:
    return None if properties is None else SectionWish(properties)


def _failure(each: RowError) -> FailureGiven:
    error: HubError = each.error
    who = each.identity
    return FailureGiven(
        row=each.number,
        device_id=None if who is None else who.device_id,
        module_id=None if who is None else who.module_id,
        code=error.code,
        message=str(error),
        next_step=error.next_step,
    )


def _problem(found: Any) -> str:
    """Names the place and never repeats the value: it may be a key."""
    return f"{'.'.join(map(str, found['loc'])) or 'the line'}: {found['msg']}"
