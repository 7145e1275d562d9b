"""What every change of a twin has in common: it keeps the rules, counts up, and leaves a fact."""

from dataclasses import replace

from ironhub.core.facts import Fact, FactKind
from ironhub.twins.model import Properties, Section, Twin, copied, etag_of, touched
from ironhub.twins.rules import check_patch, check_size


def checked(section: str, patch: Properties) -> Properties:
    """Return a copy that is ours. Raises TwinInvalid."""
    check_patch(section, patch)
    ours: Properties = copied(patch)
    return ours


def changed(twin: Twin, tags: Properties, desired: Section) -> Twin:
    """Return `twin` after a back end's change, its version and etag one higher. Raises TwinInvalid."""
    check_size("tags", tags)
    check_size("desired", desired.properties)
    return replace(twin, version=twin.version + 1, etag_counter=twin.etag_counter + 1, tags=tags, desired=desired)


def change_fact(
    kind: FactKind,
    twin: Twin,
    at: float,
    *,
    tags: Properties | None = None,
    desired: tuple[Properties, Section] | None = None,
    reported: tuple[Properties, Section] | None = None,
) -> Fact:
    """What changed, each section as `{"properties", "version", "metadata"}`, the metadata of what changed only."""
    data: Properties = {"version": twin.version, "etag": etag_of(twin)}
    if tags is not None:
        data["tags"] = tags
    for name, given in (("desired", desired), ("reported", reported)):
        if given is not None:
            properties, section = given
            metadata = touched(section.metadata, properties)
            data[name] = {"properties": properties, "version": section.version, "metadata": metadata}
    return Fact(kind, twin.identity, at, data)
