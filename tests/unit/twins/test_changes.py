import pytest

from ironhub.core.facts import FactKind
from ironhub.core.ids import identity
from ironhub.twins.changes import change_fact, changed, checked
from ironhub.twins.model import Section, TwinInvalid, initial_twin, with_patch

TWIN = initial_twin(identity("press-7"), 1.0)


def test_a_patch_is_copied_and_checked() -> None:
    patch = {"a": {"b": [1]}}
    ours = checked("tags", patch)
    patch["a"]["b"].append(2)
    assert ours == {"a": {"b": [1]}}
    with pytest.raises(TwinInvalid):
        checked("tags", {"a b": 1})


def test_a_change_counts_up_and_keeps_the_bounds() -> None:
    new = changed(TWIN, {"hall": "b"}, TWIN.desired)
    assert (new.version, new.etag_counter, new.tags) == (3, 2, {"hall": "b"})
    with pytest.raises(TwinInvalid):
        changed(TWIN, {"t": ["x" * 4000] * 3}, TWIN.desired)
    with pytest.raises(TwinInvalid):
        changed(TWIN, {}, Section(properties={"t": ["x" * 4000] * 9}))


def test_a_fact_tells_what_changed_and_when_each_of_it() -> None:
    desired = with_patch(Section(properties={"old": 1}, metadata={"old": {}}), {"n": 1}, at=2.0, count_versions=True)
    fact = change_fact(FactKind.TWIN_UPDATED, TWIN, 2.0, tags={"hall": "b"}, desired=({"n": 1}, desired))
    assert (fact.kind, fact.identity, fact.at, fact.data["tags"]) == (
        FactKind.TWIN_UPDATED,
        TWIN.identity,
        2.0,
        {"hall": "b"},
    )
    assert fact.data["desired"]["properties"] == {"n": 1}
    assert set(fact.data["desired"]["metadata"]) == {"n", "$lastUpdated", "$lastUpdatedVersion"}
    assert "reported" not in fact.data
