"""Calls to a module in another process: the same answers, and what networks do to them."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from monolift import deadline, override, use
from monolift.kernel import CallFailed, KeyInFlight, Unavailable
from monolift.observe import matrix
from monolift.supervise.preflight import any_free_port
from monolift.transport import codec, protocol
from monolift.transport import http as http_calls
from monolift.transport.signing import Key, Signer
from tests.library.calls.warehouse import SECRET, reached
from tests.library.calls.wire import Wire
from tests.library.deployed import Deployed
from tests.library.running import eventually, get
from tests.library.world.stock.interface import Level, SoldOut, Stock

SHOP = Key(id="shop-1", secret=SECRET.encode(), issuer="shop")


@contextmanager
def broken(wire: Wire, mode: str, *, every: int = 1) -> Iterator[None]:
    wire.mode, wire.every = mode, every
    try:
        yield
    finally:
        wire.mode = "ok"


def left(stock: Stock, sku: str) -> int:
    return stock.levels(skus=[sku])[sku].left


def test_a_call_gives_the_declared_answer(stock: Stock, sku: str) -> None:
    assert stock.hold(sku=sku, quantity=3) > 0
    assert stock.levels(skus=[sku]) == {sku: Level(left=7, held=3)}


def test_a_declared_error_crosses_as_itself(stock: Stock, sku: str) -> None:
    with pytest.raises(SoldOut) as caught:
        stock.hold(sku=sku, quantity=11)
    assert caught.value.fields == {"sku": sku, "left": 10}
    assert left(stock, sku) == 10


def test_what_comes_of_a_call_is_logged_as_in_process(
    stock: Stock, sku: str, warehouse: Deployed
) -> None:
    """A failure once, a declared error not at all: Django would log each of these answers."""
    before = warehouse.log.stat().st_size
    with pytest.raises(SoldOut):
        stock.hold(sku=sku, quantity=11)
    with pytest.raises(CallFailed):
        stock.misbehave(how="undeclared")
    with warehouse.log.open("rb") as log:
        log.seek(before)
        lines = [json.loads(line) for line in log]
    assert [line["event"] for line in lines] == ["call failed"]


def test_calls_without_an_answer_are_counted_apart(
    stock: Stock, sku: str, warehouse: Deployed, wire: Wire
) -> None:
    matrix.clear()
    with pytest.raises(SoldOut):
        stock.hold(sku=sku, quantity=11)
    wire.mode = "refuse"
    with pytest.raises(Unavailable):
        stock.hold(sku=sku, quantity=1)
    wire.mode = "ok"
    (cell,) = [cell for _, _, operation, cell in matrix.cells() if operation == "stock.hold"]
    assert (cell.calls, cell.errors, cell.unavailable) == (2, 2, 1)
    status, body = get(f"http://127.0.0.1:{warehouse.port}/_monolift/metrics")
    assert status == 200
    served = 'monolift_call_errors_total{side="served",caller="-",operation="stock.hold"}'
    lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines())
    assert float(lines[served]) >= 1


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise after commit block", "ValueError: after the block"),
        ("two transactions", "SecondTransaction"),
        ("undeclared", "it raised SoldOut, which its raises= does not declare"),
        ("answer a number", "its answer"),
    ],
)
def test_a_broken_rule_fails_the_call_and_leaves_nothing(
    stock: Stock, how: str, reason: str
) -> None:
    with pytest.raises(CallFailed, match=reason):
        stock.misbehave(how=how)
    assert stock.levels(skus=["ghost"]) == {}


def test_arguments_that_do_not_fit_are_named(stock: Stock) -> None:
    with pytest.raises(CallFailed, match="its arguments do not fit: Expected `int`"):
        stock.hold(sku="a", quantity="many")  # type: ignore[arg-type]  # the mistake under test


def test_a_passed_deadline_sends_nothing(stock: Stock, wire: Wire) -> None:
    before = wire.requests
    with deadline(seconds=-1), pytest.raises(Unavailable, match="deadline has passed"):
        stock.levels(skus=["a"])
    assert wire.requests == before


@pytest.mark.parametrize("mode", ["trickle", "silent"])
def test_the_deadline_is_that_of_the_whole_call(stock: Stock, wire: Wire, mode: str) -> None:
    """Case D29: a byte now and then is no reason to wait on."""
    stock.levels(skus=["a"])
    began = time.monotonic()
    with broken(wire, mode), deadline(seconds=1), pytest.raises(Unavailable, match="in time"):
        stock.levels(skus=["a"])
    assert time.monotonic() - began < 10


def test_the_deadline_goes_along_and_ends_the_work_there(stock: Stock, sku: str) -> None:
    """Case D28: what is too late is not committed."""
    with deadline(seconds=0.5), pytest.raises(Unavailable):
        stock.misbehave(how="sleep")
    with deadline(seconds=0.5), pytest.raises(Unavailable):
        stock.misbehave(how="sleep")
    assert left(stock, sku) == 10


@pytest.mark.parametrize("mode", ["lose answers", "cut"])
def test_a_command_whose_answer_is_lost_has_one_effect(
    stock: Stock, wire: Wire, sku: str, mode: str
) -> None:
    """Case D27: it is sent again under its key, and the first answer comes."""
    with broken(wire, mode, every=2):
        for _ in range(3):
            assert stock.hold(sku=sku, quantity=1) > 0
    assert wire.broken
    assert stock.levels(skus=[sku]) == {sku: Level(left=7, held=3)}


def test_repetitions_are_a_small_share(stock: Stock, wire: Wire, sku: str) -> None:
    """Case D26: when nothing comes back, the load does not grow."""
    before = wire.requests
    calls = 40
    with broken(wire, "lose answers"):
        for _ in range(calls):
            with pytest.raises(Unavailable):
                stock.levels(skus=[sku])
    assert wire.requests - before <= calls * 1.2


def test_only_the_hop_next_to_a_failure_repeats(stock: Stock, wire: Wire) -> None:
    """Case D26: else each hop of a chain would multiply the load of the next."""
    before = wire.requests
    for _ in range(4):
        with pytest.raises(Unavailable, match="no answer in time"):
            stock.misbehave(how="wait for another")
    assert wire.requests - before == 4


def test_behind_a_mesh_nothing_is_repeated_and_no_circuit_broken(wire: Wire, sku: str) -> None:
    """Case D26: the mesh does both, and two of each would multiply."""
    before = wire.requests
    with reached(wire.port, resilience="mesh"), broken(wire, "lose answers"):
        for _ in range(20):
            with pytest.raises(Unavailable):
                use(Stock).levels(skus=[sku])
    assert wire.requests - before == 20


def test_what_does_not_answer_is_left_alone_and_asked_again(
    stock: Stock, wire: Wire, sku: str
) -> None:
    """Case D30: the breaker opens, and closes by itself."""
    with broken(wire, "refuse"):
        for _ in range(12):
            with pytest.raises(Unavailable):
                stock.levels(skus=[sku])
        before = wire.requests
        with pytest.raises(Unavailable, match="did not answer lately") as caught:
            stock.levels(skus=[sku])
        assert caught.value.retry_after
        assert wire.requests == before
    deadline_ = time.monotonic() + 10
    while True:
        try:
            assert left(stock, sku) == 10
            break
        except Unavailable:
            assert time.monotonic() < deadline_
            time.sleep(0.05)


def test_callers_in_a_hurry_open_no_breaker_for_others(stock: Stock, sku: str) -> None:
    """Case D30: what they gave up would have been answered."""
    for _ in range(6):
        with deadline(seconds=0.2), pytest.raises(Unavailable, match="no answer in time"):
            stock.misbehave(how="sleep")
    assert left(stock, sku) == 10


def test_what_hangs_is_found_however_short_of_time_its_callers_are(
    stock: Stock, wire: Wire, sku: str
) -> None:
    """Case D30: nothing at all was answered for as long as a caller in no hurry waits."""

    def told() -> str:
        with deadline(seconds=0.2), pytest.raises(Unavailable) as caught:
            stock.levels(skus=[sku])
        return caught.value.reason

    with broken(wire, "silent"):
        eventually(lambda: "did not answer lately" in told(), seconds=30)


def test_refusals_open_no_breaker(stock: Stock, wire: Wire, sku: str) -> None:
    for _ in range(20):
        with pytest.raises(SoldOut):
            stock.hold(sku=sku, quantity=100)
    assert left(stock, sku) == 10


@contextmanager
def all_places_taken(stock: Stock, wire: Wire, sku: str) -> Iterator[None]:
    """Until the end of the block, by calls that are answered then."""
    wire.together = threading.Barrier(4 + 1)
    before = wire.requests
    with ThreadPoolExecutor(4) as threads:
        held = [threads.submit(left, stock, sku) for _ in range(4)]
        eventually(lambda: wire.requests == before + 4)
        yield
        wire.together.wait(5)
        assert [one.result() for one in held] == [10] * 4
    wire.together = None


def test_a_slow_module_takes_so_many_threads_and_no_more(
    stock: Stock, wire: Wire, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case D31: as many more wait for a moment, and the next caller is told at once."""
    monkeypatch.setattr(http_calls, "QUEUED", 2.0)

    def told() -> float:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="CALLS_AT_ONCE"):
            stock.levels(skus=[sku])
        return time.monotonic() - began

    with all_places_taken(stock, wire, sku), ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(told) for _ in range(4)]
        time.sleep(0.2)
        told()
        assert not any(one.done() for one in waiting)
        assert all(one.result() >= http_calls.QUEUED for one in waiting)
    assert left(stock, sku) == 10


def test_more_calls_than_places_outlast_a_moment_without_an_answer(
    stock: Stock, wire: Wire, sku: str
) -> None:
    """Such as a cut-over: all that come meanwhile are under way at once."""
    wire.together = threading.Barrier(4 + 1)
    before = wire.requests
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(left, stock, sku) for _ in range(8)]
        for turn in (1, 2):
            eventually(lambda turn=turn: wire.requests == before + 4 * turn)
            time.sleep(0.1)
            assert wire.requests == before + 4 * turn, "more are under way than may be"
            wire.together.wait(5)
        assert [one.result() for one in asked] == [10] * 8
    wire.together = None


def test_who_has_less_time_than_a_place_takes_is_told_in_time(
    stock: Stock, wire: Wire, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_calls, "QUEUED", 30.0)
    with all_places_taken(stock, wire, sku):
        began = time.monotonic()
        with deadline(seconds=0.1), pytest.raises(Unavailable, match="CALLS_AT_ONCE"):
            stock.levels(skus=[sku])
        assert time.monotonic() - began < http_calls.QUEUED / 2


def test_more_than_it_serves_at_once_is_refused_before_any_work(
    stock: Stock, warehouse: Deployed
) -> None:
    answers: list[tuple[int, str | None]] = []

    def ask() -> None:
        status, headers, _ = post(warehouse, "misbehave", {"how": "sleep"}, key=f"k{id(object())}")
        answers.append((status, headers.get("Retry-After")))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count((503, "1")) == 4
    assert answers.count((200, None)) == 8


def test_a_refusal_leaves_the_connection_as_it_is(stock: Stock, warehouse: Deployed) -> None:
    """Else who is still sending would lose it, and not know whether it was carried out."""
    body = json.dumps({"how": "sleep"}).encode()
    path = f"{protocol.PREFIX}{Stock.interface_name}/misbehave"
    token = Signer(key=SHOP).sign(audience="warehouse", method="POST", path=path, body=body)
    with (
        ThreadPoolExecutor(8) as threads,
        closing(http.client.HTTPConnection("127.0.0.1", warehouse.port, timeout=20)) as link,
    ):
        for number in range(8):
            threads.submit(post, warehouse, "misbehave", {"how": "sleep"}, key=f"r{number}")
        time.sleep(0.4)
        for _ in range(3):
            link.putrequest("POST", path)
            link.putheader("Authorization", f"Bearer {token}")
            link.putheader("Content-Length", str(len(body)))
            link.endheaders()
            time.sleep(0.05)
            link.send(body)
            answer = link.getresponse()
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            answer.read()
            assert link.sock is not None, "the server hung up"


@pytest.mark.parametrize("mode", ["gone", "refuse", "lose answers"])
def test_who_finds_nobody_where_the_module_was_goes_to_where_it_is(
    stock: Stock,
    wire: Wire,
    warehouse: Deployed,
    sku: str,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was on its way when the truth changed, and the service ended before it came."""
    with ExitStack() as stack:
        there = stack.enter_context(Wire(warehouse.port))

        def move(_: float) -> None:
            if not there.requests:
                stack.enter_context(reached(there.port))

        monkeypatch.setattr(http_calls, "time", SimpleNamespace(sleep=move))
        if mode == "gone":
            stack.enter_context(reached(any_free_port()))
        wire.mode = mode
        assert stock.hold(sku=sku, quantity=3) > 0
        assert there.requests == 1
        assert stock.levels(skus=[sku]) == {sku: Level(left=7, held=3)}


def test_an_override_does_not_reach_another_process(stock: Stock) -> None:
    with override(Stock, object()), pytest.raises(ImproperlyConfigured, match="'warehouse'"):  # type: ignore[arg-type]
        stock.levels(skus=["a"])


def test_an_end_by_sigterm_answers_what_runs(stock: Stock, warehouse: Deployed, sku: str) -> None:
    with ThreadPoolExecutor(1) as threads:
        asleep = threads.submit(lambda: stock.misbehave(how="sleep"))
        time.sleep(0.3)
        warehouse.stop()
        assert asleep.result() == "sleep"
        with pytest.raises(Unavailable, match="warehouse: "):
            stock.levels(skus=[sku])
    warehouse.start()
    time.sleep(1)  # until the breaker lets one through
    assert left(stock, sku) == 10


def test_nobody_there_is_told_with_the_way_out(settings: Settings, wire: Wire) -> None:
    settings.MONOLIFT = {**settings.MONOLIFT, "KEYS": ()}
    with reached(wire.port), pytest.raises(Unavailable, match=r"KEYS'\] has no key of ours"):
        use(Stock).levels(skus=["a"])


def test_failing_calls_leave_no_connection_open(stock: Stock, wire: Wire, sku: str) -> None:
    """Case D32."""
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir()))
    for mode in ("lose answers", "cut", "refuse"):
        with broken(wire, mode, every=2):
            for _ in range(60):
                with suppress(Unavailable):
                    stock.levels(skus=[sku])
    time.sleep(0.2)
    assert len(list(files.iterdir())) <= before + 8  # the kept ones, both ends of each


def test_a_redirect_is_not_followed(settings: Settings, wire: Wire) -> None:
    """Case G62: a peer that lies sends nobody anywhere."""

    def lie(request: BaseHTTPRequestHandler) -> None:
        request.send_response(307)
        request.send_header("Location", "/elsewhere")
        request.send_header("Content-Length", "0")
        request.end_headers()

    unread = pytest.raises(Unavailable, match="cannot be read")
    with peer(lie) as (port, asked), reached(port), unread:
        use(Stock).levels(skus=["a"])
    assert all("elsewhere" not in path for path in asked)


def test_an_attempt_that_still_runs_is_waited_for_also_beside_a_move(
    settings: Settings, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call goes under the key of the first, which nobody knows the end of."""
    answers = iter(
        [
            None,  # it is received, and not answered
            (409, codec.encode_error(KeyInFlight("under way"))),
            (409, codec.encode_error(KeyInFlight("under way"))),
            (200, b"7"),
        ]
    )

    def answer(request: BaseHTTPRequestHandler) -> None:
        if (given := next(answers)) is None:
            return
        status, body = given
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    with peer(answer) as (port, asked), ExitStack() as stack:
        stack.enter_context(reached(port))

        def move(_: float) -> None:
            if len(asked) == 1:  # another module, say
                stack.enter_context(reached(port))

        monkeypatch.setattr(http_calls, "time", SimpleNamespace(sleep=move))
        assert use(Stock).hold(sku="a", quantity=1) == 7
    keys = {parse_qs(urlsplit(path).query)["key"][0] for path in asked}
    assert len(asked) == 4
    assert len(keys) == 1


@contextmanager
def peer(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[int, list[str]]]:
    """Somebody who answers as told, in this process: its port, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


# What comes in from others --------------------------------------------------------------------


def post(
    warehouse: Deployed,
    method: str,
    arguments: object,
    *,
    key: str | None = None,
    signer: Signer | None = None,
    **changed: str,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """A request as a client of another make would send it; `changed` after it was signed."""
    body = json.dumps(arguments).encode()
    path = f"{protocol.PREFIX}{Stock.interface_name}/{method}"
    if key:
        path += f"?key={key}"
    token = (signer or Signer(key=SHOP)).sign(
        audience=changed.pop("audience", "warehouse"), method="POST", path=path, body=body
    )
    path = path.replace(*changed.pop("path", "|").split("|"))
    body = changed.pop("body", "").encode() or body
    verb = changed.pop("verb", "POST")
    headers = {"Authorization": f"Bearer {token}", **changed}
    with closing(http.client.HTTPConnection("127.0.0.1", warehouse.port, timeout=20)) as link:
        link.request(verb, path, body, headers)
        answer = link.getresponse()
        return answer.status, answer.headers, answer.read()


def test_what_is_repeated_is_answered_from_its_key(warehouse: Deployed, sku: str) -> None:
    """Case G60: a captured request, sent again, has no second effect."""
    first = post(warehouse, "hold", {"sku": sku, "quantity": 2}, key="captured-" + sku)
    again = post(warehouse, "hold", {"sku": sku, "quantity": 2}, key="captured-" + sku)
    assert (first[0], again[0]) == (200, 200)
    assert first[2] == again[2]
    assert left(use(Stock), sku) == 8


def test_another_request_under_a_key_is_refused(warehouse: Deployed, sku: str) -> None:
    post(warehouse, "hold", {"sku": sku, "quantity": 1}, key="one-" + sku)
    status, _, body = post(warehouse, "hold", {"sku": sku, "quantity": 5}, key="one-" + sku)
    assert (status, json.loads(body)["code"]) == (422, "monolift.key_reused")
    assert left(use(Stock), sku) == 9


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"body": '{"sku": "x", "quantity": 9}'}, 401),
        ({"path": "hold|fill"}, 401),
        ({"path": "key=k|key=l"}, 401),
        ({"path": "v1|v2"}, 401),
        ({"audience": "office"}, 403),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer m1.e30.AAAA"}, 401),
        ({"verb": "PUT"}, 405),
    ],
    ids=lambda value: next(iter(value.items()))[1] or "unsigned" if isinstance(value, dict) else "",
)
def test_what_is_altered_or_not_for_here_is_not_run(
    warehouse: Deployed, sku: str, changed: dict[str, str], status: int
) -> None:
    """Case G60: body, path, key and audience are covered by the signature."""
    arguments = {"sku": sku, "quantity": 1}
    assert post(warehouse, "hold", arguments, key="k", **changed)[0] == status
    assert left(use(Stock), sku) == 10


def test_a_stranger_and_an_old_token_are_refused(warehouse: Deployed, sku: str) -> None:
    stranger = Signer(key=Key(id="shop-1", secret=b"x" * 40, issuer="shop"))
    unknown = Signer(key=Key(id="shop-9", secret=SECRET.encode(), issuer="shop"))
    for signer in (stranger, unknown):
        assert post(warehouse, "levels", {"skus": [sku]}, signer=signer)[0] == 401


@pytest.mark.parametrize(
    ("method", "arguments", "key", "status"),
    [
        ("vanish", {}, None, 404),
        ("levels", {"skus": "a"}, None, 500),
        ("levels", {"skus": []}, "k", 400),
        ("hold", {"sku": "a", "quantity": 1}, "k" * 300, 400),
    ],
    ids=["unknown operation", "wrong type", "a query with a key", "a long key"],
)
def test_what_is_no_call_says_so(
    warehouse: Deployed, method: str, arguments: object, key: str | None, status: int
) -> None:
    answered, _, body = post(warehouse, method, arguments, key=key)
    assert (answered, json.loads(body)["type"]) == (status, "Failure")


def test_a_huge_request_is_refused(warehouse: Deployed) -> None:
    status, _, _ = post(warehouse, "levels", {"skus": ["x" * protocol.LARGEST]})
    assert status == 413


@pytest.mark.parametrize("given", ["-5", "1e9", "soon", "0", "99999999999999"])
def test_an_absurd_deadline_is_bounded(warehouse: Deployed, sku: str, given: str) -> None:
    """Case D28: what is no number of milliseconds counts as none."""
    status, _, _ = post(warehouse, "levels", {"skus": [sku]}, **{protocol.DEADLINE: given})
    assert status == (503 if given == "0" else 200)
