"""Problem details (RFC 9457): one shape for every error that leaves the system over HTTP."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from monolift.kernel import (
    CallFailed,
    DomainError,
    KeyInFlight,
    KeyReused,
    MonoliftError,
    Unavailable,
)
from monolift.kernel.names import snake, words
from monolift.observe.trace import current_trace

CONTENT_TYPE = "application/problem+json"

_TITLES = {
    400: "Bad request",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not available now",
}


def problem(
    *,
    status: int,
    code: str = "about:blank",
    title: str = "",
    detail: str = "",
    headers: dict[str, str] | None = None,
    **members: Any,
) -> HttpResponse:
    """A problem response. `code` becomes the type URI `urn:problem:<code>`."""
    trace = current_trace()
    body: dict[str, Any] = {
        "type": code if code == "about:blank" else f"urn:problem:{code}",
        "title": title or _TITLES.get(status, "Error"),
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if trace is not None:
        body["request_id"] = trace.request_id
    body |= members
    return HttpResponse(
        json.dumps(body, default=str), status=status, content_type=CONTENT_TYPE, headers=headers
    )


def of_error(error: Exception) -> HttpResponse:
    """The problem of an error that a call may raise. Nothing internal shows."""
    if isinstance(error, DomainError):
        fields = json.loads(_json(error.fields))
        return problem(
            status=error.status,
            code=error.code,
            title=error.title,
            detail=error.detail,
            fields=fields,
        )
    if isinstance(error, KeyReused):
        return problem(status=422, code="key_reused", title="Key used before", detail=str(error))
    if isinstance(error, KeyInFlight):
        return problem(
            status=409,
            code="key_in_flight",
            title="Still running",
            detail="A request with this Idempotency-Key is still running. Ask again shortly.",
            headers={"Retry-After": "1"},
        )
    if isinstance(error, Unavailable):
        wait = str(max(1, round(error.retry_after or 1)))
        return problem(
            status=503,
            code="unavailable",
            detail="This did not get an answer in time. It may have happened: ask again with the "
            "same Idempotency-Key.",
            headers={"Retry-After": wait},
        )
    code = snake(type(error).__name__) if isinstance(error, MonoliftError) else "internal"
    title = words(type(error).__name__) if isinstance(error, CallFailed) else ""
    return problem(status=500, code=code, title=title, detail="The error was logged.")


def _json(fields: dict[str, Any]) -> bytes:
    import msgspec

    return msgspec.json.encode(fields)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's `handler404` for API paths."""
    return problem(status=404, detail=f"There is nothing at {request.path}.")
