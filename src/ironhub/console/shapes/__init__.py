"""What the admin API takes and gives: JSON in neutral words, snake_case, instants as ISO 8601 in UTC."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Taken(BaseModel):
    """Base of what callers send: a field that nobody knows is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


def example(**fields: Any) -> ConfigDict:
    """Return the `model_config` of a shape whose description shows these fields as an example."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Given(BaseModel):
    """Base of what callers get."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ConnectionStringGiven(Given):
    """What to paste into the vendor's SDK. It holds a key."""

    connection_string: str
