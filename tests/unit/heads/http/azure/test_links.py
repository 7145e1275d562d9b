"""Which blob a path means, and how refusals are told."""

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.files import ACCOUNT

from ironhub.access.model import BlobPlace
from ironhub.dialects.azure.blob_sas import encode_link
from ironhub.heads.http.azure.links import BlobLinks, storage_headers
from ironhub.heads.http.errors import MethodNotAllowed
from ironhub.heads.http.messages import Head
from ironhub.identity.links import LinkGate
from ironhub.identity.model import AuthenticationFailed
from ironhub.messaging.files.blobs import BlobNameInvalid


@pytest.fixture
def links() -> BlobLinks:
    return BlobLinks(LinkGate(ACCOUNT, FakeClock()))


def test_places(links: BlobLinks) -> None:
    assert links.place({"container": "uploads"}) == BlobPlace("uploads")
    assert links.place({"container": "uploads", "blob": "a/b"}) == BlobPlace("uploads", "a/b")
    assert links.place({"container": ACCOUNT.name, "blob": "uploads/a/b"}) == BlobPlace("uploads", "a/b")
    assert links.place({"container": ACCOUNT.name, "blob": "uploads"}) == BlobPlace("uploads")
    for values in (
        {"container": "Up"},
        {"container": "uploads", "blob": "a/.."},
        {"container": ACCOUNT.name, "blob": ".."},
    ):
        with pytest.raises(BlobNameInvalid):
            links.place(values)


def test_the_holder_of_a_link(links: BlobLinks) -> None:
    query = encode_link(ACCOUNT, "uploads", "a", "r", expires_at=2e9)
    admitted = links.admit(Head("GET", "/uploads/a", query, {}), {"container": "uploads", "blob": "a"})
    assert (admitted.container, admitted.blob) == ("uploads", "a")
    with pytest.raises(AuthenticationFailed):
        links.admit(Head("GET", "/uploads/b", query, {}), {"container": "uploads", "blob": "b"})


def test_a_refusal_says_which_methods_are_served(links: BlobLinks) -> None:
    told = links.refuse(MethodNotAllowed("x", allow=("GET", "PUT")), Head("X", "/", "", {}), "id")
    assert (told.status, ("Allow", "GET, PUT") in told.headers) == (405, True)


def test_what_stands_on_every_answer() -> None:
    assert storage_headers(Head("GET", "/", "", {})) == (("x-ms-version", "2021-08-06"),)
    echo = storage_headers(Head("GET", "/", "", {"x-ms-client-request-id": "a" * 300, "x-ms-version": "\u00fc"}))
    assert echo == (("x-ms-version", "2021-08-06"),)
