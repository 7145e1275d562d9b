"""Runs an asynchronous test in each of the event loops that may run a hub."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Final

import pytest
import uvloop

LOOPS: Final = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def on_both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Return `test` as one that runs twice, in the standard library's loop and in uvloop's."""
    return _on(test, list(LOOPS))


def on_the_hubs_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Return `test` as one that runs in uvloop's loop, which is the hub's: for what the other does not promise."""
    return _on(test, ["uvloop"])


def _on(test: Callable[..., Coroutine[Any, Any, None]], loops: list[str]) -> Callable[..., None]:
    def run(loop_name: str, **fixtures: Any) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop_name]) as runner:
            runner.run(test(**fixtures))

    update_wrapper(run, test)
    own = inspect.Parameter("loop_name", inspect.Parameter.KEYWORD_ONLY)
    run.__signature__ = inspect.Signature([*inspect.signature(test).parameters.values(), own])  # type: ignore[attr-defined]  # pytest reads it
    parametrised: Callable[..., None] = pytest.mark.parametrize("loop_name", loops)(run)
    return parametrised
