"""Feedback of commands over HTTPS: receive, complete, abandon (azure-service-api 4.1, 4.13)."""

from collections.abc import Sequence

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.feedback_json import FEEDBACK_TYPE, encode_feedback
from ironhub.dialects.azure.if_match import encode_etag
from ironhub.heads.http.azure.calls import Call, Route
from ironhub.heads.http.messages import Response
from ironhub.messaging.commands.feedback import FeedbackReader

_DONE = Response(204)


class FeedbackCalls:
    """What became of commands, for back ends that poll."""

    def __init__(self, feedback: FeedbackReader) -> None:
        self._feedback = feedback

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        path = "/messages/servicebound/feedback"
        return [
            Route("GET", path, self._receive),
            Route("DELETE", f"{path}/{{lock}}", self._complete),
            Route("POST", f"{path}/{{lock}}/abandon", self._abandon),
        ]

    async def _receive(self, call: Call) -> Response:
        """The lock token stands in the ETag, as with commands."""
        batch = await self._feedback.receive(call.may(Permission.FEEDBACK_READ, WHOLE_HUB))
        if batch is None:
            return _DONE
        body = encode_json(encode_feedback(batch.records))
        return Response(200, body, (("ETag", encode_etag(batch.lock_token)),), FEEDBACK_TYPE)

    async def _complete(self, call: Call) -> Response:
        await self._feedback.complete(call.may(Permission.FEEDBACK_READ, WHOLE_HUB), call.values["lock"])
        return _DONE

    async def _abandon(self, call: Call) -> Response:
        await self._feedback.abandon(call.may(Permission.FEEDBACK_READ, WHOLE_HUB), call.values["lock"])
        return _DONE
