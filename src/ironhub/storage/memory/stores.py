"""All stores of one hub in memory."""

from ironhub.core.clock import Entropy
from ironhub.storage.feedback import FEEDBACK_TTL
from ironhub.storage.memory.authorities import MemoryAuthorityStore
from ironhub.storage.memory.blobs import MemoryBlobIndex
from ironhub.storage.memory.bulk import MemoryBulkStore
from ironhub.storage.memory.commands import MemoryCommandStore
from ironhub.storage.memory.configurations import MemoryConfigurationStore
from ironhub.storage.memory.consumer_groups import MemoryConsumerGroupStore
from ironhub.storage.memory.devices import MemoryDeviceStore
from ironhub.storage.memory.jobs import MemoryJobStore
from ironhub.storage.memory.outbox import MemoryOutbox
from ironhub.storage.memory.policies import MemoryPolicyStore
from ironhub.storage.memory.queries import MemoryQueryStore
from ironhub.storage.memory.sessions import MemorySessionStore
from ironhub.storage.memory.state import State
from ironhub.storage.memory.transfers import MemoryTransferStore
from ironhub.storage.memory.twins import MemoryTwinStore
from ironhub.storage.memory.uploads import MemoryUploadStore
from ironhub.storage.stores import Stores


def memory_stores(entropy: Entropy, *, feedback_ttl: float = FEEDBACK_TTL) -> Stores:
    """Return new, empty stores that share their state.

    Args:
        feedback_ttl: seconds a feedback record is kept.
    """
    state = State()
    outbox = MemoryOutbox(state)
    authorities = MemoryAuthorityStore(state)
    devices, twins = MemoryDeviceStore(state, outbox), MemoryTwinStore(state, outbox)
    return Stores(
        devices=devices,
        twins=twins,
        queries=MemoryQueryStore(state, devices, twins),
        configurations=MemoryConfigurationStore(state),
        commands=MemoryCommandStore(state, entropy, feedback_ttl=feedback_ttl),
        sessions=MemorySessionStore(state),
        bulk=MemoryBulkStore(state, outbox),
        transfers=MemoryTransferStore(state),
        policies=MemoryPolicyStore(state),
        authorities=authorities,
        authority_source=authorities,
        outbox=outbox,
        uploads=MemoryUploadStore(state, entropy),
        blobs=MemoryBlobIndex(),
        jobs=MemoryJobStore(state.jobs),
        consumer_groups=MemoryConsumerGroupStore(state),
    )
