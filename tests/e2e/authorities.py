"""Certificate authorities as an operator registers them, proves them, and revokes below them."""

from base64 import b64encode
from dataclasses import dataclass

from tests.e2e.python_client import new_id
from tests.fakes.pki import FakeAuthority, FakeCertificate
from tests.fakes.running_hub import RunningHub


def content(pem: bytes) -> dict[str, str]:
    """A file as the admin API takes it."""
    return {"content_base64": b64encode(pem).decode()}


@dataclass(frozen=True)
class ProvenAuthority:
    """An authority that a hub knows."""

    hub: RunningHub
    name: str
    authority: FakeAuthority

    @classmethod
    def register(cls, hub: RunningHub, authority: FakeAuthority) -> "ProvenAuthority":
        """Register it; it admits nobody yet."""
        name = new_id("authority")
        hub.call("POST", "/authorities", json={"name": name, **content(authority.pem)})
        return cls(hub, name, authority)

    def prove(self) -> None:
        """Prove to the hub that we hold its key."""
        code = self.hub.call("GET", f"/authorities/{self.name}")["verification_code"]
        proof = self.authority.issue(code)
        self.hub.call("POST", f"/authorities/{self.name}/proof", json=content(proof.pem))

    def revoke(self, *certificates: FakeCertificate) -> None:
        """Give the hub a revocation list with these in it."""
        crl = self.authority.revocation_list([certificate.certificate for certificate in certificates])
        self.hub.call("PUT", f"/authorities/{self.name}/revocation-list", json=content(crl))

    def forget(self) -> None:
        """Delete it."""
        self.hub.call("DELETE", f"/authorities/{self.name}")


def prove(hub: RunningHub, authority: FakeAuthority) -> ProvenAuthority:
    """Register an authority and prove it."""
    registered = ProvenAuthority.register(hub, authority)
    registered.prove()
    return registered
