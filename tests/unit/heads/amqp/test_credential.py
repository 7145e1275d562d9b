"""heads/amqp/credential.py; what their connection makes of them is in test_credentials.py."""

from typing import Any

import pytest

from ironhub.core.ids import identity
from ironhub.heads.amqp.credential import AnyCredential, DeviceCredential, ServiceCredential, Shown
from ironhub.identity.model import AuthenticationFailed, DevicePrincipal, Proof, ServicePrincipal
from ironhub.wire.amqp import IncomingLink, OutgoingLink

HOST = "hub.example"
TOKEN = "SharedAccessSignature sr=hub.example&sig=secret&se=1"


class Shelf:
    """The Keeper of credentials: it knows those that have not ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[AnyCredential, str]] = []

    def held(self, credential: AnyCredential, link: IncomingLink | OutgoingLink) -> None:
        if credential in [each for each, _ in self.ended]:
            raise AuthenticationFailed("it is over")
        credential.links[link] = None

    def drop(self, link: IncomingLink | OutgoingLink) -> None:
        self.dropped = link

    def end(self, credential: AnyCredential, reason: str) -> None:
        self.ended.append((credential, reason))


def press(expires_at: float | None = 10.0) -> DevicePrincipal:
    return DevicePrincipal(identity("press-7"), "g", Proof.OWN_KEY, expires_at)


def back_end(expires_at: float = 10.0) -> ServicePrincipal:
    return ServicePrincipal("service", frozenset(), "", expires_at)


def a_link() -> Any:
    """Something with an identity of its own: what rests on a credential is not looked into."""
    return object()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def device(shelf: Shelf) -> DeviceCredential:
    return DeviceCredential(shelf, Shown(HOST, TOKEN), press(), judged_at=1)


@pytest.fixture
def service(shelf: Shelf) -> ServiceCredential:
    return ServiceCredential(shelf, Shown(HOST, TOKEN), back_end(), judged_at=1)


def test_links_rest_on_it_until_they_are_dropped(shelf: Shelf, device: DeviceCredential) -> None:
    link = a_link()
    device.hold(link)
    assert list(device.links) == [link]
    device.drop(link)
    assert shelf.dropped is link


def test_nothing_rests_on_one_that_has_ended(shelf: Shelf, device: DeviceCredential) -> None:
    shelf.end(device, "its token has expired")
    with pytest.raises(AuthenticationFailed):
        device.hold(a_link())


def test_only_what_can_be_had_again_is_passing(shelf: Shelf, device: DeviceCredential) -> None:
    policy = ServiceCredential(shelf, Shown(HOST, TOKEN), back_end(), judged_at=1)
    by_policy = DeviceCredential(shelf, Shown(HOST, TOKEN, policy), press(), judged_at=1)
    by_certificate = DeviceCredential(shelf, Shown(HOST, None), press(None), judged_at=1)
    assert [each.is_passing for each in (device, by_policy, by_certificate)] == [False, True, True]
    assert [each.expires_at for each in (device, by_policy, by_certificate)] == [10.0, 10.0, None]


def test_a_renewal_is_told_to_those_who_watch_if_it_changes_anything(device: DeviceCredential) -> None:
    told: list[float | None] = []

    def watch() -> None:
        told.append(device.expires_at)

    device.watch(watch)
    device.renew(Shown(HOST, "another"), press(), judged_at=2)
    assert (told, device.shown.token, device.judged_at) == ([], "another", 2)
    device.renew(Shown(HOST, TOKEN), press(20.0), judged_at=3)
    assert told == [20.0]
    device.unwatch(watch)
    device.unwatch(watch)
    device.renew(Shown(HOST, TOKEN), press(30.0), judged_at=4)
    assert told == [20.0]


def test_a_judgement_ends_the_principal_it_was_made_of_and_no_later_one(
    shelf: Shelf, service: ServiceCredential
) -> None:
    judged = service.principal
    service.renew(Shown(HOST, TOKEN), back_end(20.0), judged_at=2)
    service.end_backend(judged, "its right has ended")
    assert shelf.ended == []
    service.end_backend(service.principal, "its right has ended")
    assert shelf.ended == [(service, "its right has ended")]


def test_what_is_shown_is_in_no_repr(service: ServiceCredential) -> None:
    assert "secret" not in repr(service.shown) + repr(service)
