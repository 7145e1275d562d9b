"""Project Wycheproof's HMAC-SHA256: whole right tags are believed, and no other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ironhub.identity.sas import find_signer

VECTORS: Final = json.loads((Path(__file__).parent / "vectors" / "hmac_sha256_test.json").read_text(encoding="utf-8"))
OTHER: Final = b"another key"


def cases() -> Iterator[tuple[int, bytes, bytes, bytes, bool]]:
    for group in VECTORS["testGroups"]:
        for test in group["tests"]:
            key, message, tag = (bytes.fromhex(test[name]) for name in ("key", "msg", "tag"))
            whole = group["tagSize"] == 256  # a token's signature is never cut short
            yield test["tcId"], key, message, tag, whole and test["result"] == "valid"


@pytest.mark.parametrize(("number", "key", "message", "tag", "good"), [*cases()])
def test_a_tag_is_believed_only_whole_and_right(
    number: int, key: bytes, message: bytes, tag: bytes, *, good: bool
) -> None:
    expected = key if good else None
    assert find_signer(message, tag, (key, OTHER)) == expected, number
    assert find_signer(message, tag, (OTHER, key)) == expected, number


def test_nothing_was_left_out() -> None:
    assert sum(1 for _ in cases()) == VECTORS["numberOfTests"] == 174
    assert sum(good for *_, good in cases()) > 30
