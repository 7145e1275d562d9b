"""Errors as the admin API answers them: `{"error": {"code", "message", "next_step"}}`, always."""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from ironhub.core.errors import HubError, InvalidArgument

log: Final = logging.getLogger(__name__)


class ErrorBody(BaseModel):
    """What went wrong, and what the caller can do now."""

    code: str
    """Stable for ever; match on this."""
    message: str
    next_step: str


class ErrorAnswer(BaseModel):
    """The body of every answer that is no success."""

    error: ErrorBody


class RouteNotFound(HubError):
    """The admin API has no such path."""

    code: ClassVar[str] = "request.no_such_route"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "See /api/docs for everything that can be called."


class MethodNotServed(HubError):
    """The admin API has the path, with other methods."""

    code: ClassVar[str] = "request.no_such_method"
    status: ClassVar[int] = 405
    next_step: ClassVar[str] = "Use one of the methods of the Allow header."


class RequestTooLarge(HubError):
    """The body of a request is over the bound."""

    code: ClassVar[str] = "request.too_large"
    status: ClassVar[int] = 413
    next_step: ClassVar[str] = "Send less in one request."


def answer(error: HubError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that tells of `error`; its `detail` stays in our log."""
    body = {"code": error.code, "message": str(error), "next_step": error.next_step}
    told = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return JSONResponse({"error": body}, status_code=error.status, headers={**told, **(headers or {})})


def install(app: FastAPI) -> None:
    """Make `app` answer every error in this one shape."""
    app.add_exception_handler(HubError, _on_hub_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)


async def _on_hub_error(_: Request, error: Exception) -> JSONResponse:
    refusal = error if isinstance(error, HubError) else HubError("something went wrong")
    log.info("admin_request_refused", extra={"code": refusal.code, "detail": refusal.detail})
    return answer(refusal)


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    """Names the places and never repeats the values: one of them may be a key."""
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    return answer(InvalidArgument("; ".join(_shown(problem) for problem in problems)))


async def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    """The framework wraps what its body parser raised: the cause is the better answer."""
    if isinstance(error.__cause__, HubError):
        return answer(error.__cause__)
    if isinstance(error, HTTPException) and error.status_code == 405:
        return answer(MethodNotServed("this path has other methods"), error.headers)
    if isinstance(error, HTTPException) and error.status_code == 404:
        return answer(RouteNotFound("there is nothing at this path"))
    return answer(InvalidArgument("the request could not be read"))


async def _on_bug(_: Request, error: Exception) -> JSONResponse:
    log.error("admin_request_failed", exc_info=error)
    return answer(HubError("the hub could not do this, and it is not the caller's fault"))


def _shown(problem: Any) -> str:
    place = ".".join(str(step) for step in problem["loc"] if step != "body") or "body"
    return f"{place}: {problem['msg']}"
