"""The twin that a row of a bulk call or an import leaves behind."""

from dataclasses import replace
from typing import NamedTuple

from ironhub.core.bus import DesiredChanged, Notice
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity
from ironhub.provisioning.bulk.model import SectionWish, TwinWish
from ironhub.twins.changes import change_fact, changed, checked
from ironhub.twins.model import Properties, Section, Twin, difference, initial_twin, merge, with_patch, with_properties
from ironhub.twins.rules import check_size


class TwinChange(NamedTuple):
    """A twin to be stored, the fact that tells of it, and what a connected device is told."""

    twin: Twin
    fact: Fact
    notices: tuple[Notice, ...]


def first_twin(identity: Identity, wish: TwinWish, at: float) -> Twin:
    """Return the twin of an identity that is created with it, which is no change of it. Raises TwinInvalid."""
    born = initial_twin(identity, at)
    empty = Section(version=0)
    desired = born.desired if wish.desired is None else _exact("desired", empty, wish.desired, at)
    reported = born.reported if wish.reported is None else _exact("reported", empty, wish.reported, at)
    tags = merge({}, checked("tags", wish.tags or {}))
    check_size("tags", tags)
    return replace(born, tags=tags, desired=desired, reported=reported)


def overwritten(stored: Twin, wish: TwinWish, at: float) -> TwinChange:
    """Return the twin with each section that is given exactly as given, the others as they are. Raises TwinInvalid."""
    tags = stored.tags if wish.tags is None else merge({}, checked("tags", wish.tags))
    desired = stored.desired if wish.desired is None else _exact("desired", stored.desired, wish.desired, at)
    reported = stored.reported if wish.reported is None else _exact("reported", stored.reported, wish.reported, at)
    twin = replace(changed(stored, tags, desired), reported=reported)
    patch = difference(stored.desired.properties, desired.properties)
    told = () if wish.desired is None else (DesiredChanged(twin.identity, desired.version, patch),)
    return TwinChange(twin, _whole(twin, at), told)


def merged(stored: Twin, wish: TwinWish, at: float) -> TwinChange:
    """Return the twin with what is given merged into tags and desired properties. Raises TwinInvalid.

    Reported properties are the device's own: a row that only updates leaves them.
    """
    tags = stored.tags
    if wish.tags is not None:
        tags = merge(stored.tags, checked("tags", wish.tags))
    desired, patch = stored.desired, None
    if wish.desired is not None:
        patch = checked("desired", wish.desired.properties)
        desired = with_patch(stored.desired, patch, at=at, count_versions=True)
    twin = changed(stored, tags, desired)
    shown = None if patch is None else (patch, desired)
    fact = change_fact(FactKind.TWIN_UPDATED, twin, at, tags=wish.tags, desired=shown)
    told = () if patch is None else (DesiredChanged(twin.identity, desired.version, patch),)
    return TwinChange(twin, fact, told)


def _exact(name: str, stored: Section, wish: SectionWish, at: float) -> Section:
    """Versions never go back: a device tells old from new by them."""
    properties: Properties = checked(name, wish.properties)
    section = with_properties(stored, properties, at=at, count_versions=name == "desired")
    if wish.version is not None:
        section = replace(section, version=max(wish.version, section.version))
    if wish.metadata is not None:
        section = replace(section, metadata=wish.metadata)
    check_size(name, section.properties)
    return section


def _whole(twin: Twin, at: float) -> Fact:
    desired, reported = (twin.desired.properties, twin.desired), (twin.reported.properties, twin.reported)
    return change_fact(FactKind.TWIN_REPLACED, twin, at, tags=twin.tags, desired=desired, reported=reported)
