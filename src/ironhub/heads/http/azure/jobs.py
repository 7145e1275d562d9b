"""Scheduled jobs (azure-service-api 4.9)."""

from collections.abc import Sequence
from typing import Final

from ironhub.access.model import WHOLE_HUB, Permission
from ironhub.core.errors import InvalidArgument
from ironhub.core.pages import Page
from ironhub.dialects.azure.job_json import ITEM_TYPE, decode_job, decode_kind, decode_status, encode_job
from ironhub.heads.http.azure.calls import Call, Route, json_response
from ironhub.heads.http.messages import Headers, Response
from ironhub.messaging.jobs.model import Job
from ironhub.messaging.jobs.service import MAX_PAGE, JobService

DEFAULT_PAGE: Final = 100
_NOTHING: Final[Page[Job]] = Page((), None)


class JobCalls:
    """Twin updates and method calls over many devices, now or later."""

    def __init__(self, jobs: JobService) -> None:
        self._jobs = jobs

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        return [
            Route("GET", "/jobs/v2/query", self._list_jobs),
            Route("GET", "/jobs/v2/{job}", self._get_job),
            Route("PUT", "/jobs/v2/{job}", self._create_job),
            Route("POST", "/jobs/v2/{job}/cancel", self._cancel_job),
        ]

    async def _create_job(self, call: Call) -> Response:
        grant = call.may(Permission.JOB_WRITE, WHOLE_HUB)
        draft = decode_job(call.request.body, call.values["job"])
        return json_response(encode_job(await self._jobs.create(grant, draft)))

    async def _get_job(self, call: Call) -> Response:
        job = await self._jobs.get(call.may(Permission.JOB_READ, WHOLE_HUB), call.values["job"])
        return json_response(encode_job(job))

    async def _cancel_job(self, call: Call) -> Response:
        job = await self._jobs.cancel(call.may(Permission.JOB_WRITE, WHOLE_HUB), call.values["job"])
        return json_response(encode_job(job))

    async def _list_jobs(self, call: Call) -> Response:
        page = await self._page(call)
        more: Headers = () if page.after is None else (("x-ms-continuation", page.after),)
        return json_response([encode_job(job) for job in page.items], headers=(("x-ms-item-type", ITEM_TYPE), *more))

    async def _page(self, call: Call) -> Page[Job]:
        grant = call.may(Permission.JOB_READ, WHOLE_HUB)
        query, headers = call.query, call.request.head.headers
        kind, status = decode_kind(query.get("jobtype", "")), decode_status(query.get("jobstatus", ""))
        if (query.get("jobtype") and kind is None) or (query.get("jobstatus") and status is None):
            return _NOTHING  # the vendor has kinds and statuses that no job has here
        after, limit = headers.get("x-ms-continuation") or None, _page_size(headers.get("x-ms-max-item-count"))
        return await self._jobs.list(grant, kind=kind, status=status, after=after, limit=limit)


def _page_size(text: str | None) -> int:
    if not text:
        return DEFAULT_PAGE
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_PAGE:
        raise InvalidArgument(f"x-ms-max-item-count must be 1 to {MAX_PAGE}")
    return int(text[:9])
