"""A disk that refuses or hangs when the test says so, in front of any store."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ironhub.core.errors import Unavailable

T = TypeVar("T")


class Trouble:
    """What goes wrong with the stores behind it; nothing until told."""

    def __init__(self) -> None:
        self.refusals = 0
        """How many calls from here on fail with Unavailable, before they do anything."""
        self.calls: list[str] = []
        """The names of the calls that were made, refused ones too."""
        self.only: frozenset[str] = frozenset()
        """The names of the calls that trouble strikes; empty: all."""
        self._stuck: asyncio.Event | None = None

    def stick(self) -> None:
        """Calls hang until `unstick`."""
        self._stuck = asyncio.Event()

    def unstick(self) -> None:
        """Calls that hang go on."""
        if self._stuck is not None:
            self._stuck.set()
            self._stuck = None

    async def strike(self, name: str) -> None:
        """Do to the call `name` what was asked for."""
        self.calls.append(name)
        if self.only and name not in self.only:
            return
        if self._stuck is not None:
            await self._stuck.wait()
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("the disk is full")


def troubled(store: T, trouble: Trouble) -> T:
    """Return `store` with `trouble` in front of each of its (asynchronous) calls."""
    return cast("T", _Troubled(store, trouble))


class _Troubled:
    def __init__(self, store: Any, trouble: Trouble) -> None:
        self._store = store
        self._trouble = trouble

    def __getattr__(self, name: str) -> Callable[..., Any]:
        work = getattr(self._store, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._trouble.strike(name)
            return await work(*args, **kwargs)

        return call


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Return as soon as `condition()` holds; other tasks run meanwhile. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0)


async def settle() -> None:
    """Let every task run that can run without waiting for the outside."""
    for _ in range(50):
        await asyncio.sleep(0)
