from ironhub.core.errors import HubError
from ironhub.core.ids import device_id
from ironhub.core.receipts import Receipt, ReceiptRefused


def test_a_receipt_is_for_one_device_of_one_job() -> None:
    assert Receipt(7, device_id("press-7"), 1.0) != Receipt(8, device_id("press-7"), 1.0)


def test_a_receipt_that_is_not_taken_is_a_conflict() -> None:
    assert issubclass(ReceiptRefused, HubError)
    assert (ReceiptRefused.code, ReceiptRefused.status) == ("receipt.refused", 409)
