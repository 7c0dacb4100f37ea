"""Idempotency keys: one effect under one key, whoever asks how often and whatever dies."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from monolift import atomic, use
from monolift.gateway.requests import RequestKey, RequestScopeMiddleware
from monolift.kernel import (
    Interface,
    KeyInFlight,
    KeyReused,
    Unavailable,
    command,
)
from monolift.kernel.interface import operations_of
from monolift.registry.scope import CallKey, current
from monolift.registry.sql import execute
from monolift.registry.topology import topology
from monolift.resilience.idempotency import KeyedCommand
from tests.keyed import under
from tests.library.world.stock import faults
from tests.library.world.stock.interface import SoldOut, Stock
from tests.library.world.stock.models import Hold

pytestmark = pytest.mark.django_db(databases="__all__")

THREADS, ROUNDS = 16, 10


def hold(key: str, *, quantity: int = 1, sku: str = "a") -> int:
    with under(key):
        return use(Stock).hold(sku=sku, quantity=quantity)


def at_once(work: Callable[[], Any]) -> list[Any]:
    """What it gives or raises in each of so many threads that begin together."""
    outcomes: list[Any] = []
    ready = threading.Barrier(THREADS)

    def run() -> None:
        ready.wait()
        try:
            outcomes.append(work())
        except (KeyInFlight, Unavailable) as refused:
            outcomes.append(refused)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_twins_have_one_effect_and_one_answer() -> None:
    """Case C21: sixteen at once, ten times; each gets the answer of the one, or may ask again."""
    use(Stock).fill(sku="a", quantity=ROUNDS * THREADS)
    for number in range(ROUNDS):
        outcomes = at_once(lambda: hold(f"twin-{number}"))  # noqa: B023 - run before the next
        assert len(outcomes) == THREADS
        answers = {one for one in outcomes if isinstance(one, int)}
        assert len(answers) == 1, outcomes
        assert Hold.objects.count() == number + 1
        assert hold(f"twin-{number}") in answers, "and later it is still the answer"


def test_another_request_under_a_used_key_is_refused(stock: Stock) -> None:
    """Case C22."""
    hold("once")
    for other in (
        lambda: hold("once", quantity=2),
        lambda: hold("once", sku="b"),
        lambda: _fill("once"),
    ):
        with pytest.raises(KeyReused, match="another request"):
            other()
    assert Hold.objects.count() == 1


def _fill(key: str) -> None:
    with under(key):
        use(Stock).fill(sku="a", quantity=1)


class Now(Interface, Protocol, version=1, name="stock.things.v1"):
    """An interface as the release that stored the key has it."""

    @command(timeout=5)
    def put(self, *, sku: str, mode: str = "normal", note: str) -> None: ...


class AnArgumentMore(Interface, Protocol, version=1, name="stock.things.v1"):
    """As a newer release may have it: the rest of these too."""

    @command(timeout=5)
    def put(
        self, *, sku: str, mode: str = "normal", note: str, tags: Mapping[str, str] = {}
    ) -> None: ...


class AnotherDefault(Interface, Protocol, version=1, name="stock.things.v1"):
    @command(timeout=5)
    def put(self, *, sku: str, mode: str = "fast", note: str) -> None: ...


class ADefaultMore(Interface, Protocol, version=1, name="stock.things.v1"):
    @command(timeout=5)
    def put(self, *, sku: str, mode: str = "normal", note: str = "none") -> None: ...


def put_by(release: type, body: bytes) -> KeyedCommand:
    """The command under one key, as a release makes it from what was sent."""
    operation = operations_of(release)["put"]
    arguments = msgspec.json.decode(body, type=operation.arguments)
    return KeyedCommand(operation, "stock", CallKey("deploy:put"), arguments)


SENT = b'{"sku":"a","mode":"normal","note":"none"}'
OTHER = b'{"sku":"b","mode":"normal","note":"none"}'


@pytest.mark.parametrize("newer", [AnArgumentMore, AnotherDefault, ADefaultMore])
@pytest.mark.parametrize("first", ["old", "new"])
def test_a_repetition_is_known_by_the_release_before_and_after(newer: type, first: str) -> None:
    """Its first answer was lost in a rolling deploy; all of these changes are called SAFE."""
    by, other = (Now, newer) if first == "old" else (newer, Now)
    with atomic(module="stock"):
        put_by(by, SENT).first(topology().alias("stock"))
    found = put_by(other, SENT).look(topology().alias("stock"))
    assert found is not None
    assert found.state == "done"
    with pytest.raises(KeyReused):
        put_by(other, OTHER).look(topology().alias("stock"))


def test_what_the_sender_leaves_out_may_have_another_default_later() -> None:
    """A saga's step goes on after the deploy, and leaves out the same as before."""
    body = b'{"sku":"a","note":"none"}'
    with atomic(module="stock"):
        put_by(Now, body).first(topology().alias("stock"))
    assert put_by(AnotherDefault, body).look(topology().alias("stock")) is not None


def test_a_key_stored_with_one_digest_of_everything_is_known_by_its_operation(stock: Stock) -> None:
    first = hold("before")
    execute(topology().alias("stock"), "UPDATE monolift_key SET fingerprint = %s", ("0" * 64,))
    assert hold("before") == first
    with pytest.raises(KeyReused):
        _fill("before")


def test_a_refusal_leaves_the_key_unused(stock: Stock) -> None:
    """Case C24: nothing happened, so the same key may succeed later."""
    with pytest.raises(SoldOut):
        hold("again", quantity=11)
    stock.fill(sku="a", quantity=5)
    hold("again", quantity=11)
    assert Hold.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("place", ["stock.hold", "stock.hold.inside", "stock.hold.after"])
def test_a_process_killed_in_progress_neither_blocks_nor_doubles(place: str) -> None:
    """Case C23: what it had not committed is gone, and so is its hold on the key."""
    use(Stock).fill(sku="a", quantity=5)
    connections.close_all()
    child = os.fork()
    if child == 0:
        faults.planned[place] = [lambda: os.kill(os.getpid(), signal.SIGKILL)]
        try:
            hold("killed")
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child was to be killed"
    first = hold("killed")
    assert hold("killed") == first
    assert Hold.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True, databases="__all__")
def test_one_whose_commit_is_lost_may_be_repeated() -> None:
    """The answer travels with it."""
    use(Stock).fill(sku="a", quantity=5)
    alias = topology().alias("stock")

    def cut() -> None:
        mine: Any = connections[alias].connection
        other = connections[alias].copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", (mine.info.backend_pid,))
        finally:
            other.close()

    faults.planned["stock.hold.after"] = [cut]
    with pytest.raises(Unavailable):
        hold("lost")
    connections[alias].close()
    first = hold("lost")
    assert hold("lost") == first
    assert Hold.objects.count() == 1


def key_of(
    header: str,
    *,
    path: str = "/orders",
    caller: str = "one",
    cookies: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Status, and the key that a request's command would be given."""
    seen: list[str] = []

    def view(request: Any) -> HttpResponse:
        outgoing = current().outgoing
        assert isinstance(outgoing, RequestKey)
        seen.append(outgoing.value)
        return HttpResponse()

    headers = {"Idempotency-Key": header, "Authorization": f"Bearer {caller}"}
    request = RequestFactory().post(path, headers=headers)
    request.COOKIES.update(cookies or {})
    status = RequestScopeMiddleware(view)(request).status_code
    return status, seen[0] if seen else ""


def test_the_quoted_and_the_bare_form_are_one_key() -> None:
    """Case C24; the draft has a structured string, most clients send it bare."""
    assert key_of('"8e03978e"') == key_of("8e03978e")


def test_the_key_of_another_endpoint_or_caller_is_another_key() -> None:
    """Case C22: nobody gets an answer that was given to somebody else."""
    assert key_of("8e03978e") == key_of("8e03978e")
    assert key_of("8e03978e") != key_of("8e03978e", path="/baskets")
    assert key_of("8e03978e") != key_of("8e03978e", caller="two")


@pytest.mark.parametrize("name", ["sessionid", "__Host-session"])
def test_the_key_of_another_session_is_another_key(settings: Settings, name: str) -> None:
    """Case C22, where a project has another name for the cookie of its sessions."""
    settings.SESSION_COOKIE_NAME = name
    assert key_of("8e03978e", cookies={name: "a"}) == key_of("8e03978e", cookies={name: "a"})
    assert key_of("8e03978e", cookies={name: "a"}) != key_of("8e03978e", cookies={name: "b"})


@pytest.mark.parametrize("header", ["", '""', "x" * 5000, "schlüssel", "two words", "a\tb"])
def test_a_key_that_is_none_is_a_clear_error(header: str) -> None:
    assert key_of(header)[0] == 400
