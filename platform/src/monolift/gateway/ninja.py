"""django-ninja at the edge: every error a problem, the key from the `Idempotency-Key` header."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from monolift.gateway.problems import of_error, problem
from monolift.kernel import DomainError, MonoliftError
from monolift.observe.logs import logger

log = logger("monolift.gateway")


def install_problem_handlers(api: NinjaAPI) -> None:
    """Answer every error of an API as problem+json (RFC 9457)."""
    api.add_exception_handler(DomainError, _known)
    api.add_exception_handler(MonoliftError, _platform)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _http)
    api.add_exception_handler(Http404, _missing)
    api.add_exception_handler(AuthenticationError, _unauthenticated)
    api.add_exception_handler(Exception, _unexpected)


def _known(request: HttpRequest, error: Any) -> HttpResponse:
    return of_error(error)


def _platform(request: HttpRequest, error: Any) -> HttpResponse:
    response = of_error(error)
    if response.status_code >= 500:
        log.error("request failed", path=request.path, exc_info=error)
    return response


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    errors = [
        {"field": _field(entry["loc"]), "problem": entry["msg"]} for entry in error.errors[:50]
    ]
    return problem(
        status=422,
        code="invalid_input",
        detail="; ".join(f"{entry['field']}: {entry['problem']}" for entry in errors[:3]),
        errors=errors,
    )


def _field(place: Sequence[object]) -> str:
    """Where in the request: of an endpoint's one `body` ninja says the parameter's name as well."""
    shown = place[1:] if tuple(place[:2]) == ("body", "body") else place
    return ".".join(str(part) for part in shown)


def _http(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(status=error.status_code, detail=str(error))


def _missing(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(status=404, detail=f"There is nothing at {request.path}.")


def _unauthenticated(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(
        status=401,
        detail="The token or session is not valid here, or not any more: get a new one.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _unexpected(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("request failed", path=request.path, exc_info=error)
    return of_error(error)
