"""The scope of a request: who asked, in which trace, under which idempotency key, until when."""

import hashlib
import re
from collections.abc import Callable
from functools import cached_property, partial
from uuid import UUID, uuid5

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from monolift.gateway.identity import acts_for
from monolift.gateway.problems import problem
from monolift.gateway.views import attribute_view
from monolift.kernel import CallRefused, Operation, uuid7
from monolift.kernel.clock import monotonic
from monolift.observe.trace import begin
from monolift.observe.weighing import weighed
from monolift.registry.scope import CallKey, Scope, current
from monolift.registry.settings import sql_guard
from monolift.transport.protocol import PREFIX
from monolift.truth.follow import follow

TIMEOUT = 30.0
"""Seconds that a request's calls may take in all."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_MADE = UUID("6f0f5c1e-2f0b-5d0c-9d1a-5b7a4b8f3a10")


class RequestKey:
    """Gives the request's `Idempotency-Key` to the one command that the request makes.

    Its value is asked for when it is needed: by then the edge knows the user.
    """

    def __init__(self, value: Callable[[], str]) -> None:
        self._value = value
        self.used: Operation | None = None

    @cached_property
    def value(self) -> str:
        """The key, apart from the same one of others."""
        return self._value()

    def admit(self, operation: Operation) -> CallKey | None:
        """The key for the command; a second command cannot have it."""
        if operation.kind == "query" or not operation.keyed:
            return None
        if self.used is not None:
            raise CallRefused(
                f"This request makes two commands, {self.used.name} and {operation.name}: an "
                "Idempotency-Key can stand for one. Offer one command that does both."
            )
        self.used = operation
        return CallKey(self.value, repeated=True)


def new_id() -> UUID:
    """An id for what the running request makes: its own each time, but for a request that is sent
    again with its `Idempotency-Key`, which gets the same.
    """
    scope: Scope | None = current()
    while scope is not None:
        if isinstance(scope.outgoing, RequestKey):
            return uuid5(_MADE, scope.outgoing.value)
        scope = scope.parent
    return uuid7()


class RequestScopeMiddleware:
    """Put it first: logs, calls and events then belong to the request.

    Continues the caller's W3C trace, takes or makes an `X-Request-ID`, and answers with it. The
    `Idempotency-Key` header (IETF draft: a quoted string; the bare form is taken as the same key)
    stands for one command; it is kept apart by caller, method and path.

    A call of another deployable goes to its view from here: sessions, CSRF and the headers of pages
    are nothing to it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        follow()  # also one that no request has come to says that it lives
        if sql_guard() != "off":
            self.process_view = attribute_view

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request inside its scope."""
        follow()
        headers = request.headers
        scope = Scope(None, None, monotonic() + TIMEOUT)
        scope.kind = "request"
        scope.operation = f"{request.method} {request.path}"
        scope.acts_for = partial(acts_for, request)
        scope.trace = begin(
            traceparent=headers.get("traceparent", ""),
            request_id=headers.get("X-Request-ID", ""),
        )
        with weighed(scope):
            if request.path_info.startswith(PREFIX) and (answer := _called(request)) is not None:
                return answer
            header = headers.get("Idempotency-Key")
            if header is not None and request.method not in ("GET", "HEAD", "OPTIONS"):
                key = header.strip()
                if len(key) >= 2 and key[0] == key[-1] == '"':
                    key = key[1:-1]
                if not _KEY.fullmatch(key):
                    return problem(
                        status=400,
                        code="bad_idempotency_key",
                        detail="Idempotency-Key is 1 to 255 visible ASCII characters.",
                    )
                scope.outgoing = RequestKey(partial(_apart, request, key))
                scope.plain = False
            response = self.get_response(request)
            response["X-Request-ID"] = scope.trace.request_id
            return response


def _called(request: HttpRequest) -> HttpResponse | None:
    """The answer to a call of another deployable; None where the project serves none."""
    try:
        found = resolve(request.path_info)
    except Resolver404:
        return None
    answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
    return answer


def _apart(request: HttpRequest, key: str) -> str:
    """The same key of another caller or endpoint is another key."""
    text = f"{_whose(request)}\n{request.method}\n{request.path}\n{key}"
    return "request:" + hashlib.sha256(text.encode()).hexdigest()


def _whose(request: HttpRequest) -> str:
    """Who asks, as far as the key is concerned: the user, whichever token or session says so.

    Where nobody is known, the credentials that the request carries.
    """
    user = acts_for(request)
    if user is not None:
        return f"user {user.user_id}"
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return f"{request.headers.get('Authorization', '')}|{session}"
