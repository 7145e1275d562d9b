"""console/routes/__init__.py"""

from ironhub.console.intake import StrictRoute
from ironhub.console.routes import router
from ironhub.registry.model import DeviceExists, EtagMismatch


def test_every_route_reads_strictly_and_says_how_it_can_fail() -> None:
    made = router("/things", "things", DeviceExists, EtagMismatch)
    assert made.prefix == "/things"
    assert made.tags == ["things"]
    assert made.route_class is StrictRoute
    assert set(made.responses) == {400, 401, 409, 412, 413, 503}
    assert made.responses[409]["x-codes"] == ["device.exists"]
    assert made.responses[400]["x-codes"] == ["argument.invalid", "id.invalid", "json.invalid"]
