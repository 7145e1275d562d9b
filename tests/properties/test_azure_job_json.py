"""Jobs as JSON: what is understood comes back the same, and whatever else is sent is refused with an error of ours."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ironhub.core.errors import HubError
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.job_json import decode_job, encode_job
from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import Job, JobDraft, JobStatus, JobWork, TwinChange
from ironhub.messaging.methods.model import MethodCall

LEAVES = st.none() | st.booleans() | st.integers(-(2**52), 2**52) | st.text(max_size=20)
VALUES = st.recursive(LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below))
SECTIONS = st.none() | st.dictionaries(st.text(min_size=1, max_size=5).filter(lambda key: key[0] != "$"), VALUES)
WORK: st.SearchStrategy[JobWork] = st.builds(TwinChange, SECTIONS, SECTIONS, st.just("*")) | st.builds(
    MethodCall,
    name=st.text(max_size=9),
    payload=VALUES.map(encode_json),
    response_timeout=st.integers(0, 400).map(float),
    connect_timeout=st.integers(0, 400).map(float),
)
NAMES = st.sampled_from(
    ["jobId", "type", "updateTwin", "cloudToDeviceMethod", "queryCondition", "startTime", "maxExecutionTimeInSeconds"]
)


@given(work=WORK, condition=st.text(min_size=1, max_size=30).filter(str.strip), start=st.integers(0, 10**9))
def test_what_is_shown_of_a_job_asks_for_the_same_job_again(work: JobWork, condition: str, start: int) -> None:
    job = Job(
        job_id="j1",
        work=work,
        condition=condition,
        creator=Remembered("local", by_policy=False),
        created_at=0.0,
        starts_at=float(start),
        max_execution_time=60.0,
        status=JobStatus.QUEUED,
    )
    draft = decode_job(encode_json(encode_job(job)), "j1")
    assert (draft.work, draft.condition, draft.starts_at, draft.max_execution_time) == (work, condition, start, 60.0)


def attempt(data: bytes) -> JobDraft | HubError:
    try:
        return decode_job(data, "j1")
    except HubError as refusal:
        return refusal


@given(body=st.dictionaries(NAMES, VALUES | st.sampled_from(["scheduleUpdateTwin", "scheduleDeviceMethod", "*"])))
def test_a_body_is_understood_or_refused(body: dict[str, Any]) -> None:
    found = attempt(encode_json(body))
    if isinstance(found, JobDraft):
        assert found.condition == body["queryCondition"]
    else:
        assert found.status == 400


@given(data=st.binary(max_size=200))
def test_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(HubError):
        decode_job(data, "j1")
