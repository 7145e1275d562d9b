"""core.strict_json gives every text its verdict."""

from contextlib import suppress

import pytest
from tests.conformance.json_vectors import VECTORS, JsonVector, Verdict

from ironhub.core.strict_json import JsonInvalid, decode_json


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_text_is_taken_or_refused(vector: JsonVector) -> None:
    if vector.verdict is Verdict.TAKEN:
        decode_json(vector.text)
    elif vector.verdict is Verdict.REFUSED:
        with pytest.raises(JsonInvalid):
            decode_json(vector.text)
    else:
        with suppress(JsonInvalid):
            decode_json(vector.text)


def test_most_of_them_are_no_json() -> None:
    verdicts = [vector.verdict for vector in VECTORS]
    assert verdicts.count(Verdict.REFUSED) > 2 * verdicts.count(Verdict.TAKEN)
    assert len({vector.name for vector in VECTORS}) == len(VECTORS) > 100
