"""On whose behalf a call is made: the same wherever the module is, and never by a header."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from pytest_django import Settings

from config.identity.authentication import anyone, signed_in
from config.identity.models import User
from monolift import (
    Caller,
    Composition,
    acting_for,
    end_user,
    part,
    together,
    use,
)
from monolift.gateway import kept
from monolift.registry.places import Rehearsal
from monolift.registry.topology import install, reset, topology
from monolift.testing.transports import transported
from monolift.transport.signing import Key, Signer
from tests.library.calls.test_http import SHOP, post
from tests.library.calls.warehouse import KEYS, reached
from tests.library.deployed import Deployed
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(databases="__all__")
ADA = Caller(user_id=uuid4(), scopes=frozenset({"read"}))
SHE = f"{ADA.user_id} ['read']"


@contextmanager
def _rehearsed() -> Iterator[None]:
    calm = Rehearsal(modules=("stock",), latency=0, refused=0, lost=0, twice=0)
    known = topology()
    install(replace(known, epoch=known.epoch + 1, rehearsal=calm))
    yield


@pytest.fixture(params=["local", "loopback", "rehearsed", "http"])
def stock(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Stock]:
    """Stock in each place that it may be in."""
    with ExitStack() as stack:
        if request.param == "http":
            warehouse: Deployed = request.getfixturevalue("warehouse")
            settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": KEYS}
            stack.enter_context(reached(warehouse.port))
        elif request.param == "rehearsed":
            stack.enter_context(_rehearsed())
        else:
            stack.enter_context(transported(request.param))
        yield use(Stock)
    reset()


def test_the_module_knows_for_whom_it_is_asked(stock: Stock) -> None:
    assert stock.misbehave(how="for whom") == "nobody"
    with acting_for(ADA):
        assert stock.misbehave(how="for whom") == SHE
        with acting_for(None):
            assert stock.misbehave(how="for whom") == "nobody"
    assert stock.misbehave(how="for whom") == "nobody"


# What is asked, by parts: `misbehave` is a command, and a part is a query.
PAGE = Composition("a page that knows its user")
asked_anew = part(use(Stock).levels, of=[PAGE])
kept_for_all = part(use(Stock).levels, of=[PAGE], fresh_for=60)


@pytest.mark.parametrize(("asked", "whom"), [(asked_anew, ADA), (kept_for_all, None)])
def test_what_is_kept_for_others_is_asked_for_nobody(
    monkeypatch: pytest.MonkeyPatch, asked: Any, whom: Caller | None
) -> None:
    """Else one user would be shown what another may see."""
    kept.forget()
    seen: list[Caller | None] = []
    monkeypatch.setattr(
        "tests.library.world.stock.services.StockService.levels",
        lambda self, *, skus: seen.append(end_user()) or {},
    )
    with transported("local"), acting_for(ADA):
        assert asked(skus=["a"]) == {}
    kept.forget()
    assert seen == [whom]


def test_parts_that_are_asked_side_by_side_know_it_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Caller | None] = []
    monkeypatch.setattr(type(asked_anew), "_call", lambda *_: seen.append(end_user()))
    monkeypatch.setattr(type(asked_anew), "is_quick", lambda *_: False)
    with acting_for(ADA), together() as ask:
        ask(asked_anew, skus=["a"])
    assert seen == [ADA]


# What comes from outside ----------------------------------------------------------------------


def test_the_signature_covers_it(warehouse: Deployed) -> None:
    """Case G58, G60: whoever has no key says nothing about users, and nobody changes what was."""
    whom = {"how": "for whom"}

    class Acting(Signer):
        def sign(self, **call: Any) -> str:
            return super().sign(**{**call, "user": ADA})

    assert post(warehouse, "misbehave", whom, signer=Acting(key=SHOP))[2] == f'"{SHE}"'.encode()
    stranger = Acting(key=Key(id="shop-1", secret=b"x" * 40, issuer="shop"))
    assert post(warehouse, "misbehave", whom, signer=stranger)[0] == 401
    bare = Signer(key=SHOP)
    for one in (bare, Acting(key=SHOP)):
        # One's claims with the signature of the other.
        other = Acting(key=SHOP) if one is bare else bare
        status, _, _ = post(warehouse, "misbehave", whom, signer=_Mixed(one, other))
        assert status == 401


class _Mixed(Signer):
    def __init__(self, one: Signer, other: Signer) -> None:
        self._one, self._other = one, other

    def sign(self, **call: Any) -> str:
        head, _, _ = self._one.sign(**call).rpartition(".")
        return f"{head}.{self._other.sign(**call).rpartition('.')[2]}"


OUTSIDERS = (
    "X-User-Id", "X_User_Id", "X-User", "X_User", "x-USER-id", "X-Internal-User", "X-Auth-User",
    "X-Auth-Request-User", "X-Remote-User", "Remote-User", "REMOTE_USER", "X-Forwarded-User",
    "Monolift-User", "Monolift_User", "Usr",
)  # fmt: skip


def test_no_header_says_who_it_is_between_deployables(warehouse: Deployed) -> None:
    """Case G58."""
    headers = dict.fromkeys(OUTSIDERS, str(ADA.user_id))
    status, _, answer = post(warehouse, "misbehave", {"how": "for whom"}, **headers)
    assert (status, answer) == (200, b'"nobody"')


# At the edge ----------------------------------------------------------------------------------


def _tell(request: HttpRequest) -> HttpResponse:
    user = end_user()
    return HttpResponse(str(user.user_id) if user else "nobody")


api = NinjaAPI(urls_namespace="end-user")
api.get("/open")(_tell)
api.post("/guarded", auth=signed_in)(_tell)
api.get("/either", auth=anyone)(_tell)
urlpatterns = [path("page", _tell), path("hook", csrf_exempt(_tell)), path("api/", api.urls)]


@pytest.fixture
def visitor(settings: Settings) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client()


def test_at_a_page_it_is_who_is_signed_in(visitor: Client) -> None:
    assert visitor.get("/page").content == b"nobody"
    user = User.objects.create_user(email="ada@example.org", password="long enough 4 that")
    visitor.force_login(user)
    told = str(user.pk).encode()
    assert visitor.get("/page").content == told
    assert visitor.get("/api/either").content == told
    # Where nothing proves that a page of ours asks, a cookie alone is nobody.
    assert visitor.get("/hook").content == b"nobody"
    assert visitor.get("/api/open").content == b"nobody"
    assert visitor.post("/api/guarded", "{}", "application/json").content == told


@pytest.mark.parametrize("target", ["/page", "/hook", "/api/open", "/api/either"])
@pytest.mark.parametrize("name", OUTSIDERS)
def test_no_header_says_who_it_is_at_the_edge(visitor: Client, target: str, name: str) -> None:
    """Case G58: WSGI makes one of `X-User` and `X_User`, and of two the first and the second."""
    folded = "HTTP_" + name.upper().replace("-", "_")
    for value in (str(ADA.user_id), f"{ADA.user_id},{ADA.user_id}"):
        assert visitor.get(target, **{folded: value}).content == b"nobody"
