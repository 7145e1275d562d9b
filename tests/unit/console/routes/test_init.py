"""console/routes/__init__.py"""

from ironhub.console.intake import StrictRoute
from ironhub.console.routes import router


def test_every_route_reads_strictly_and_says_how_it_can_fail() -> None:
    made = router("/things", "things")
    assert made.prefix == "/things"
    assert made.tags == ["things"]
    assert made.route_class is StrictRoute
    assert set(made.responses) == {401, 404, 409, 412}
