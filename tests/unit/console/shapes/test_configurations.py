import pytest

from ironhub.console.shapes.configurations import ConfigurationGiven, ContentTaken, content_given
from ironhub.twins.configurations.model import Configuration, Content, ContentKind, Results, Write


@pytest.mark.parametrize(
    "content",
    [
        Content(ContentKind.DEVICE, (Write(("a", "b"), 1), Write((), {"c": 2}))),
        Content(ContentKind.MODULE, (Write(("a",), None),)),
        Content(ContentKind.EDGE, (Write((), {}, "one"), Write(("a",), 1, "one"), Write(("b",), 2, "two"))),
    ],
)
def test_content_comes_back_as_it_was_given(content: Content) -> None:
    assert ContentTaken(**content_given(content)).content() == content


def test_results_are_shown_with_their_time() -> None:
    content = Content(ContentKind.DEVICE, (Write(("a",), 1),))
    made = Configuration(id="a", etag="e", created_at=0.0, updated_at=1.0, content=content)
    assert ConfigurationGiven.of(made).results is None
    found = Configuration(
        id="a", etag="e", created_at=0.0, updated_at=1.0, content=content, results=Results(2.0, 5, 4, 3, 2, {"m": 1})
    )
    shown = ConfigurationGiven.of(found).results
    assert shown is not None
    assert (shown.at, shown.targeted, shown.applied) == ("1970-01-01T00:00:02.000Z", 5, 4)
    assert (shown.reported_successful, shown.reported_failed, shown.metrics) == (3, 2, {"m": 1})
