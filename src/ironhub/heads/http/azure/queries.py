"""Queries over twins and job results (azure-service-api 4.8, 8.1)."""

from collections.abc import Sequence

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.core.errors import InvalidArgument
from ironhub.core.strict_json import decode_json_object
from ironhub.dialects.azure.query import parse_query
from ironhub.dialects.azure.query_rows import CONTINUATION, ITEM_TYPE, PAGE_SIZE, encode_rows, item_type
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Response
from ironhub.twins.queries.service import DEFAULT_PAGE, MAX_PAGE, QueryService


class QueryCalls:
    """What is asked about many devices at once."""

    def __init__(self, queries: QueryService) -> None:
        self._queries = queries

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        return [Route("POST", "/devices/query", self._run)]

    async def _run(self, call: Call) -> Response:
        """Who may not ask learns nothing of the query either."""
        grant = call.may(Permission.REGISTRY_QUERY, WHOLE_HUB)
        text = decode_json_object(call.request.body).get("query")
        if not isinstance(text, str):
            raise InvalidArgument("the body must have the text of a query as its query")
        query = parse_query(text)
        headers = call.request.head.headers
        answer = await self._queries.run(
            grant, query, limit=_page_size(headers.get(PAGE_SIZE)), continuation=headers.get(CONTINUATION) or None
        )
        told = [(ITEM_TYPE, item_type(query))]
        if answer.continuation is not None:
            told.append((CONTINUATION, answer.continuation))
        return json_response(encode_rows(query, answer.rows), headers=tuple(told))


def _page_size(wanted: str | None) -> int:
    """Raises InvalidArgument. More than there may be is what there may be."""
    if not wanted:
        return DEFAULT_PAGE
    if not (wanted.isascii() and wanted.isdigit()) or len(wanted) > 9 or int(wanted) == 0:
        raise InvalidArgument(f"{PAGE_SIZE} must be a whole number from 1 to {MAX_PAGE}")
    return min(int(wanted), MAX_PAGE)
