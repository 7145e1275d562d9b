"""Which handler serves an address: methods and path templates, looked up without a scan over all of them.

Ids are percent-decoded once, segment by segment, after the path was cut at "/": an encoded slash never becomes one.
Only the rest of a path, which a template may ask for, is the name of one thing with slashes in it, and there it does.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Generic, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from ironhub.heads.http.errors import MethodNotAllowed, RequestMalformed, RouteUnknown

H = TypeVar("H")

_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Match(NamedTuple, Generic[H]):
    """What serves a request, and what its path names."""

    handler: H
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Template(Generic[H]):
    segments: tuple[str, ...]
    handlers: dict[str, H]

    @property
    def begins_with_name(self) -> bool:
        return self.segments[0].startswith("{")

    def values_of(self, segments: list[str]) -> dict[str, str] | None:
        values: dict[str, str] = {}
        for place, (wanted, given) in enumerate(zip_longest(self.segments, segments)):
            if wanted is None or given is None:
                return None
            if wanted.endswith("*}"):
                values[wanted[1:-2]] = "/".join(segments[place:])
                return values
            if wanted.startswith("{"):
                values[wanted[1:-1]] = given
            elif wanted != given.lower():
                return None
        return values


class Router(Generic[H]):
    """A table of routes. A template such as "/devices/{device}" has lower-case words and names in braces.

    The last name may take the rest of the path: "/{container}/{blob*}". A template that begins with a name serves only
    addresses whose first word begins no other template.
    """

    def __init__(self, routes: Iterable[tuple[str, str, H]]) -> None:
        by_path: dict[tuple[str, ...], dict[str, H]] = {}
        for method, template, handler in routes:
            by_path.setdefault(tuple(template.strip("/").split("/")), {})[method] = handler
        self._words = {segments[0] for segments in by_path if not segments[0].startswith("{")}
        self._by_length: dict[int, list[_Template[H]]] = {}
        self._with_rest: list[_Template[H]] = []
        for segments, handlers in sorted(by_path.items(), key=lambda item: "".join(item[0]).count("{")):
            with_rest = segments[-1].endswith("*}")
            same = self._with_rest if with_rest else self._by_length.setdefault(len(segments), [])
            same.append(_Template(segments, handlers))

    def find(self, method: str, path: str) -> Match[H]:
        """Return what serves `method` on `path` (as sent); the template with the most fixed words comes first.

        Raises:
            RouteUnknown; MethodNotAllowed: only other methods are served there; RequestMalformed: a broken escape.
        """
        segments = split_path(path)
        allowed: set[str] = set()
        known = segments[0].lower() in self._words
        for template in (*self._by_length.get(len(segments), ()), *self._with_rest):
            values = None if known and template.begins_with_name else template.values_of(segments)
            if values is None:
                continue
            if method in template.handlers:
                return Match(template.handlers[method], values)
            allowed |= template.handlers.keys()
        if allowed:
            raise MethodNotAllowed(f"{method[:20]!a} is not served here", allow=tuple(sorted(allowed)))
        raise RouteUnknown("nothing is served at this address")


def split_path(path: str) -> list[str]:
    """Return the decoded segments; one "/" at the end does not count. Raises RouteUnknown, RequestMalformed."""
    segments = path.removeprefix("/").removesuffix("/").split("/")
    if "" in segments:
        raise RouteUnknown("the address has an empty segment")
    return [_decoded(segment) for segment in segments]


def decode_query(query: str) -> Mapping[str, str]:
    """Return the parameters by lower-case name, the first of each; what is malformed in it stays as it is."""
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        parameters.setdefault(_lenient(name).lower(), _lenient(value))
    return parameters


def _decoded(segment: str) -> str:
    if "%" not in segment:
        return segment
    if _BROKEN_ESCAPE.search(segment):
        raise RequestMalformed("the address has a broken percent escape")
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestMalformed("the address is not UTF-8") from error


def _lenient(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")
