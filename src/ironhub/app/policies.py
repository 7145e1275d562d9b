"""The five shared access policies that every hub has, with keys of its own.

Source: Azure IoT Hub, "Control access with shared access signatures", the default policies.
"""

from typing import Final

from ironhub.access.ports import PolicyStore
from ironhub.core.clock import Entropy
from ironhub.core.sealing import KEY_SIZE
from ironhub.identity.model import KnownPolicy, Right, SymmetricKeys

BUILT_IN: Final[dict[str, frozenset[Right]]] = {
    "iothubowner": frozenset(Right),
    "service": frozenset({Right.SERVICE_CONNECT}),
    "device": frozenset({Right.DEVICE_CONNECT}),
    "registryRead": frozenset({Right.REGISTRY_READ}),
    "registryReadWrite": frozenset({Right.REGISTRY_READ, Right.REGISTRY_WRITE}),
}


async def ensure_policies(store: PolicyStore, entropy: Entropy) -> None:
    """Create those of the five that are missing, with random keys; the others keep theirs."""
    known = {policy.name.lower() for policy in await store.list_policies()}
    for name, rights in BUILT_IN.items():
        if name.lower() not in known:
            keys = SymmetricKeys(entropy.token_bytes(KEY_SIZE), entropy.token_bytes(KEY_SIZE))
            await store.put_policy(KnownPolicy(name, keys, rights))
