"""Queries over devices, modules and what jobs did to them."""

from typing import Final

from fastapi import APIRouter

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes.queries import QueryGiven, QueryTaken
from ironhub.dialects.azure.query import parse_query
from ironhub.dialects.azure.query_rows import encode_rows, item_type
from ironhub.twins.queries.model import ContinuationInvalid, QueryInvalid, QueryTooExpensive, TooManyQueries

routes: Final[APIRouter] = router(
    "/query", "queries", QueryInvalid, QueryTooExpensive, TooManyQueries, ContinuationInvalid
)


@routes.post("")
async def run_query(caller: Authenticated, asked: QueryTaken) -> QueryGiven:
    """Return a page of what a query finds, in the language that back ends use (docs/operate/queries.md)."""
    grant = caller.may(Permission.REGISTRY_QUERY)
    query = parse_query(asked.query)
    answer = await caller.services.queries.run(grant, query, limit=asked.limit, continuation=asked.continuation)
    return QueryGiven(
        item_type=item_type(query), rows=encode_rows(query, answer.rows), continuation=answer.continuation
    )
