"""What all pages share: the frame around them, and an answer to whatever goes wrong."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from modules.storefront.views.visitor import Visitor, forget_basket
from monolift import DomainError, Unavailable
from monolift.kernel import CallFailed
from monolift.observe.logs import logger

log = logger("modules.storefront")

_HEADINGS = {
    400: "We could not read that",
    402: "The payment did not go through",
    404: "There is nothing here",
    405: "This address takes no visits",
    409: "That does not fit any more",
    422: "That does not work",
    503: "One moment, please",
}
_RETRY_SECONDS = 5


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    visitor: Visitor,
    status: int = 200,
    personal: bool = True,
    place: str = "/",
) -> HttpResponse:
    """A page inside the shop's frame. `personal` ones are kept by no cache, not even the browser's.

    So the browser's back button asks again, and shows what became of a basket meanwhile. `place` is
    where to ask for a page that is the answer to a form, which browsers cannot ask for again.
    """
    frame = {
        "visitor": visitor,
        "here": request.get_full_path() if request.method == "GET" and status == 200 else place,
    }
    response = render(request, f"storefront/{template}", {**frame, **context}, status=status)
    response["Cache-Control"] = "private, no-store" if personal else "private, no-cache"
    if visitor.tampered or visitor.spare:
        forget_basket(response)
    return response


def error_page(
    request: HttpRequest,
    *,
    status: int,
    sentence: str,
    back: str = "",
    back_text: str = "",
    headers: Mapping[str, str] | None = None,
    **frame: Any,
) -> HttpResponse:
    """A page that says what is wrong in one sentence, with a way on. `frame` is given to it."""
    context = {
        **frame,
        "heading": _HEADINGS.get(status, "That did not work"),
        "sentence": sentence,
        "back": back or reverse("storefront:products"),
        "back_text": back_text or "See all products",
    }
    visitor = Visitor.of(request)
    response = page(request, "error.html", context, visitor=visitor, status=status)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def unavailable(
    request: HttpRequest, error: Exception, *, sentence: str = "", back: str = ""
) -> HttpResponse:
    """503: a part of the shop gave no answer. Logged; nothing internal shows.

    It asks nobody for a menu: that may be the part.
    """
    log.error("page failed", path=request.path, exc_info=error)
    wait = getattr(error, "retry_after", None) or _RETRY_SECONDS
    return error_page(
        request,
        status=503,
        sentence=sentence
        or "A part of the shop is not answering right now. Nothing is lost: please try again in a "
        "few seconds.",
        back=back or (request.get_full_path() if request.method == "GET" else ""),
        back_text="Try again" if back or request.method == "GET" else "",
        headers={"Retry-After": str(max(1, round(wait)))},
        menu=(),
    )


def see_other(to: str, **arguments: str) -> HttpResponse:
    """303 (RFC 9110, 15.4.4): the result of a form is seen there."""
    headers = {"Location": reverse(to, kwargs=arguments), "Cache-Control": "private, no-store"}
    return HttpResponse(status=303, headers=headers)


def elsewhere(to: str) -> HttpResponse:
    """For htmx, which asked for a part of a page: open another page instead."""
    headers = {"HX-Redirect": to, "Cache-Control": "private, no-store"}
    return HttpResponse(status=204, headers=headers)


type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


def answers[**P](*methods: str) -> Callable[[View[P]], View[P]]:
    """A view for these methods: refusals of modules, and their silence, become pages."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            method = "GET" if request.method == "HEAD" else request.method
            if method not in methods:
                return error_page(
                    request,
                    status=405,
                    sentence="It only takes what a form of this shop sends.",
                    headers={"Allow": ", ".join(methods)},
                )
            if "Idempotency-Key" in request.headers:
                # It stands for one command, and a form may take several.
                return error_page(
                    request,
                    status=400,
                    sentence="Forms of this shop are sent without an Idempotency-Key.",
                )
            try:
                return view(request, *args, **kwargs)
            except DomainError as error:
                return error_page(request, status=error.status, sentence=error.detail)
            except (Unavailable, CallFailed) as error:
                return unavailable(request, error)

        return answer

    return decorate
