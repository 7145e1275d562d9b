"""A Node process that runs one of the scripts in tests/e2e/node/, as a test talks to it."""

import itertools
import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from tests.e2e.python_client import PATIENCE
from tests.fakes.running_hub import hub_environment

SCRIPTS: Final = Path(__file__).parent / "node"
SETUP: Final = Path(__file__).parents[2] / "tools" / "node_setup.sh"


class NodeError(Exception):
    """The SDK gave an error; `name` is that of its class."""

    def __init__(self, name: str, message: str, body: Any = None) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.body = body
        """What the hub said, where the SDK tells."""


class NodeProcess:
    """Asks a script one thing at a time; what it tells unasked waits in `events`."""

    command: ClassVar[tuple[str, ...]] = ("node",)
    """What runs the script."""

    def __init__(self, script: str, log: Path, **environment: str) -> None:
        self._ids = itertools.count(1)
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._events_lock = threading.Lock()
        self._events: dict[tuple[str, str], queue.Queue[Any]] = {}
        self._log = log
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [*self.command, str(SCRIPTS / script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=hub_environment(NODE_NO_WARNINGS="1", **environment),
            )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def ask(self, action: str, *, timeout: float = PATIENCE, **arguments: Any) -> Any:
        """Return what the script answers. Raises NodeError."""
        assert self._process.stdin is not None
        with self._lock:
            number = next(self._ids)
            print(json.dumps({"id": number, "action": action, "arguments": arguments}), file=self._process.stdin)
            self._process.stdin.flush()
            answer = self._answers.get(timeout=timeout)
        assert answer is not None, f"node ended: {self._log.read_text()[-2000:]}"
        assert answer["id"] == number
        if "error" in answer:
            raise NodeError(**answer["error"])
        return answer["result"]

    def events(self, handle: str, event: str) -> "queue.Queue[Any]":
        """What the script told of one client."""
        with self._events_lock:
            return self._events.setdefault((handle, event), queue.Queue())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._reader.join(PATIENCE)
            self._process.stdout.close()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            told = json.loads(line)
            if "event" in told:
                self.events(told["handle"], told["event"]).put(told.get("value"))
            else:
                self._answers.put(told)
        self._answers.put(None)
