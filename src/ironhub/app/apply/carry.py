"""Makes the changes of a plan, one after the other; a hub that was changed meanwhile is not overwritten."""

from collections.abc import Sequence

from ironhub.app.apply.plan import Change
from ironhub.app.cli.client import AdminClient
from ironhub.app.cli.problems import Problem

NEXT_STEP = "Correct it and apply again: what was made stays made, and the plan begins anew."


async def carry_out(hub: AdminClient, changes: Sequence[Change]) -> None:
    """Make all `changes`.

    Raises:
        Problem: one could not be made; it says which, and how many were.
    """
    for number, change in enumerate(changes):
        try:
            for step in change.steps:
                await hub.send(step.method, *step.path, body=step.body, if_match=step.if_match, module=step.module)
        except Problem as problem:
            message = f"{change.what}: {problem} ({number} of {len(changes)} changes were made)"
            raise Problem(problem.code, message, NEXT_STEP, status=problem.status) from None
