"""Tests of console/routes/authorities.py."""

from base64 import b64encode

from tests.fakes.pki import make_authority
from tests.unit.console.conftest import Desk


def file(content: bytes) -> dict[str, str]:
    return {"content_base64": b64encode(content).decode()}


async def test_an_authority_is_registered_proven_and_forgotten(desk: Desk) -> None:
    plant = make_authority("Plant 2")
    made = await desk.ok("POST", "/authorities", json={"name": "plant-2", **file(plant.pem)})
    assert (made["name"], made["verified"], made["has_revocation_list"]) == ("plant-2", False, False)
    assert await desk.ok("GET", "/authorities/plant-2") == made
    proof = plant.issue(made["verification_code"])
    proven = await desk.ok("POST", "/authorities/plant-2/proof", json=file(proof.pem))
    assert proven["verified"] is True
    listed = await desk.ok("PUT", "/authorities/plant-2/revocation-list", json=file(plant.revocation_list()))
    assert listed["has_revocation_list"] is True
    assert (await desk.ok("GET", "/authorities"))["authorities"] == [listed]
    await desk.ok("DELETE", "/authorities/plant-2")
    assert await desk.refused("GET", "/authorities/plant-2") == (404, "authority.not_found")


async def test_what_is_no_certificate_is_refused(desk: Desk) -> None:
    answer = await desk.refused("POST", "/authorities", json={"name": "a", **file(b"no certificate")})
    assert answer == (400, "authority.certificate_refused")
    answer = await desk.refused("POST", "/authorities", json={"name": "a", "content_base64": "!"})
    assert answer == (400, "argument.invalid")
