"""Errors of the blob store are told with the codes that the vendor's SDKs know."""

from xml.etree import ElementTree

import pytest

from ironhub.core.errors import HubError, InvalidArgument, Unavailable
from ironhub.dialects.azure.blob_errors import BlobError, blob_error, blob_error_body
from ironhub.heads.http.errors import MethodNotAllowed, RequestTooSlow, RouteUnknown
from ironhub.identity.links import refuse_link
from ironhub.messaging.files.blobs import BlobExists, BlobNotFound, RangeInvalid, StoreFull


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BlobNotFound("x"), BlobError(404, "BlobNotFound")),
        (BlobExists("x"), BlobError(409, "BlobAlreadyExists")),
        (RangeInvalid("x"), BlobError(416, "InvalidRange")),
        (StoreFull("x"), BlobError(507, "InsufficientAccountStorage")),
        (refuse_link("x"), BlobError(403, "AuthenticationFailed")),
        (Unavailable("x"), BlobError(503, "ServerBusy")),
        (InvalidArgument("x"), BlobError(400, "InvalidInput")),
        (RouteUnknown("x"), BlobError(404, "ResourceNotFound")),
        (MethodNotAllowed("x", allow=()), BlobError(405, "UnsupportedHttpVerb")),
        (RequestTooSlow("x"), BlobError(408, "OperationTimedOut")),
        (HubError("x"), BlobError(500, "InternalError")),
    ],
)
def test_each_error_has_its_code(error: HubError, told: BlobError) -> None:
    assert blob_error(error) == told


def test_the_body_is_xml_whatever_the_message_holds() -> None:
    tree = ElementTree.fromstring(blob_error_body(InvalidArgument("<&>\x00\x1f]]>"), "id-1"))
    assert tree.findtext("Code") == "InvalidInput"
    assert (tree.findtext("Message") or "").startswith("<&>??]]>. ")
    assert "RequestId:id-1" in (tree.findtext("Message") or "")
