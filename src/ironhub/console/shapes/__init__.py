"""What the admin API takes and gives: JSON in neutral words, snake_case, instants as ISO 8601 in UTC."""

from pydantic import BaseModel, ConfigDict


class Taken(BaseModel):
    """Base of what callers send: a field that nobody knows is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Given(BaseModel):
    """Base of what callers get."""

    model_config = ConfigDict(frozen=True)
