"""What of the vendor's SDKs a test shows: the marker behind docs/reference/coverage.md.

Put it on an end-to-end test that drives the unmodified SDK, with every method that the test would miss:

    from tests.covers import covers

    @covers("py:IoTHubRegistryManager.get_device", "node:Registry.get")
    def test_a_device_is_read(...) -> None: ...

A name is `py:` or `node:`, the SDK's class, a dot, its method as the SDK spells it. What no method names, such as a
transport or a kind of credential, stands in `tools/coverage_features.py` with a name of its own: `py:feature.x509-ca`.
`python -m tools.coverage_table` reads the markers without running anything (so: string constants only) and the methods
from the installed SDKs; a method that no test names appears as "not shown", and a name that no SDK has is an error.
"""

import re
from collections.abc import Callable
from typing import Final, TypeVar

F = TypeVar("F", bound=Callable[..., object])

NAME: Final = re.compile(r"(py|node):[A-Za-z]+\.[A-Za-z0-9_-]+")


def covers(*names: str) -> Callable[[F], F]:
    """Say that the test below shows these methods at work. Raises ValueError when a name cannot be one."""
    if not names or not all(NAME.fullmatch(name) for name in names):
        raise ValueError(f"py:Class.method or node:Class.method, not {names}")

    def marked(test: F) -> F:
        return test

    return marked
