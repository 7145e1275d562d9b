"""Tests of console/shapes/files.py."""

import pytest
from pydantic import ValidationError
from tests.fakes.clock import START

from ironhub.console.shapes.files import BlobGiven, DeliveryGiven, NewLink
from ironhub.core.ids import identity
from ironhub.messaging.files.blobs import Blob, BlobHead
from ironhub.messaging.files.model import FileNotice, FileNotification, NotificationDelivery


def test_a_notification_that_is_held() -> None:
    notice = FileNotice(
        identity=identity("d"), blob="d/a", uri="https://h/c/d/a", size=5,
        modified_at=START, enqueued_at=START, expires_at=START,
    )  # fmt: skip
    given = DeliveryGiven.of(
        NotificationDelivery(FileNotification(record_id=1, notice=notice, delivery_count=2), "lock")
    )
    assert (given.lock_token, given.notification.device_id, given.notification.delivery_count) == ("lock", "d", 2)
    assert given.notification.modified_at == "2026-05-28T20:26:40.000Z"


def test_a_blob() -> None:
    blob = Blob(container="c", name="a", size=1, etag="e", created_at=START, modified_at=START, head=BlobHead())
    assert BlobGiven.of(blob).content_type == "application/octet-stream"


@pytest.mark.parametrize("wrong", [{"permissions": ""}, {"permissions": "rwdlr"}, {"hours": 1e9}, {"more": 1}])
def test_links_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NewLink.model_validate(wrong)
