"""Queries as operators send them, and what they find."""

from typing import Any

from pydantic import Field

from ironhub.console.shapes import Given, Taken, example
from ironhub.dialects.azure.query import MAX_QUERY
from ironhub.twins.queries.service import DEFAULT_PAGE, MAX_PAGE


class QueryTaken(Taken):
    """A query in the vendor's language, and which page of its answer is wanted."""

    model_config = example(query="SELECT deviceId, tags FROM devices WHERE tags.hall = 'B2'", limit=100)

    query: str = Field(max_length=MAX_QUERY)
    limit: int = Field(default=DEFAULT_PAGE, ge=1, le=MAX_PAGE)
    """How many rows at most."""
    continuation: str | None = None
    """As the page before gave it; null: the first page."""


class QueryGiven(Given):
    """One page of what a query found."""

    item_type: str
    """What the rows are: whole twins, results of jobs, or the columns that were asked for."""
    rows: list[dict[str, Any]]
    """As back ends see them, in the vendor's words."""
    continuation: str | None
    """Ask with it for the next page; null: this is the last."""
