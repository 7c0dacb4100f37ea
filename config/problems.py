"""Below `/api/` every error is a problem (RFC 9457), also what goes wrong before the API."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from monolift.gateway.problems import CONTENT_TYPE, problem

PREFIX = "/api/"


class ApiProblemsMiddleware:
    """Takes JSON only, of a bounded size, and words plain errors (404, 405) as problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        refusal = _refusal(request)
        if refusal is not None:
            return refusal
        response = self.get_response(request)
        kind = response.get("Content-Type", "").partition(";")[0]
        if response.status_code < 400 or kind == CONTENT_TYPE:
            return response
        headers = {"Allow": response["Allow"]} if "Allow" in response else {}
        return problem(
            status=response.status_code, detail=_detail(request, response), headers=headers
        )


def _refusal(request: HttpRequest) -> HttpResponse | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or length == "0":
        return None
    if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        most = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes"
        return problem(status=413, detail=f"The body is larger than {most}.")
    if request.content_type != "application/json":
        return problem(status=415, detail="Send the body as Content-Type: application/json.")
    return None


def _detail(request: HttpRequest, response: HttpResponse) -> str:
    if response.status_code == 404:
        return f"There is nothing at {request.path}."
    if response.status_code == 405:
        return f"{request.method} is not possible at {request.path}."
    return ""
