from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity


def test_the_names_of_facts_are_stored_and_never_change() -> None:
    assert {kind.name: kind.value for kind in FactKind} == {
        "DEVICE_CREATED": "device_created",
        "DEVICE_DELETED": "device_deleted",
        "CONNECTED": "connected",
        "DISCONNECTED": "disconnected",
        "TWIN_UPDATED": "twin_updated",
        "TWIN_REPLACED": "twin_replaced",
    }


def test_a_fact_is_a_value() -> None:
    fact = Fact(FactKind.CONNECTED, identity("press-7"), 1.0, {})
    assert fact == Fact(FactKind("connected"), identity("press-7"), 1.0, {})
