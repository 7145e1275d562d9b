"""What the stores in memory share."""

from tests.contracts.stores import ARM, NOBODY, PRESS, device, module

from ironhub.messaging.commands.model import Command
from ironhub.storage.memory.state import Lock, Queued, State

COMMAND = Command(identity=PRESS, sequence_number=1, message_id="m", body=b"", enqueued_at=0.0, expires_at=9.0)


def test_a_command_is_due_when_it_expires_or_its_lock_ends() -> None:
    assert Queued(COMMAND).due_at == 9.0
    assert Queued(COMMAND, Lock("t", "", 3.0)).due_at == 3.0
    assert Queued(COMMAND, Lock("t", "s", None)).due_at is None


def test_devices_and_modules_are_found_by_their_identity() -> None:
    state = State(devices={PRESS.device_id: device()}, modules={ARM: module()})
    assert state.identity(PRESS) == device()
    assert state.identity(ARM) == module()
    assert state.identity(NOBODY) is None


def test_forgetting_takes_the_queue_of_one_identity_only() -> None:
    other = Queued(Command(identity=ARM, sequence_number=2, message_id="m", body=b"", enqueued_at=0.0, expires_at=9.0))
    state = State(commands={1: Queued(COMMAND), 2: other})
    state.forget(PRESS)
    assert state.queue(PRESS) == []
    assert state.queue(ARM) == [other]
