"""The breaker and the retry budget, by themselves."""

import os
import threading

from monolift.resilience.breaker import LEAST, OPEN, WINDOW, Breaker
from monolift.resilience.budget import FIRST, SAVED, Budget


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failing(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed()


def test_it_opens_when_most_fails_and_lets_one_try() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    failing(breaker, LEAST - 1)
    assert breaker.admit() == 0
    breaker.failed()
    assert 0 < breaker.admit() <= OPEN
    clock.now += OPEN
    assert breaker.state == "half-open"
    assert breaker.admit() == 0
    assert breaker.admit() > 0, "one trial at a time"
    breaker.failed()
    assert breaker.admit() > 0
    clock.now += OPEN
    assert breaker.admit() == 0
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.admit() == breaker.admit() == 0


def test_one_bad_caller_among_many_good_ones_opens_nothing() -> None:
    breaker = Breaker(monotonic=Clock())
    for _ in range(50):
        breaker.succeeded()
    failing(breaker, LEAST * 3)
    assert breaker.state == "closed"


def test_failures_of_long_ago_are_forgotten() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    failing(breaker, LEAST - 1)
    clock.now += WINDOW
    failing(breaker, LEAST - 1)
    assert breaker.state == "closed"
    breaker.failed()
    assert breaker.state == "open"


def test_callers_in_a_hurry_open_nothing_while_something_is_answered() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    for _ in range(20):
        for _ in range(LEAST * 2):
            clock.now += 0.1
            breaker.unanswered(waited=0.1, patience=2)
        breaker.succeeded()
    assert breaker.state == "closed"


def test_callers_in_a_hurry_find_out_together_what_hangs() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    while breaker.state == "closed":
        clock.now += 0.25
        breaker.unanswered(waited=0.25, patience=2)
    assert 2 <= clock.now - 100 <= 2 + 0.25 * LEAST


def test_a_pause_between_two_callers_in_a_hurry_is_no_silence() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    breaker.unanswered(waited=0.1, patience=2)
    clock.now += WINDOW * 10
    for _ in range(LEAST * 2):
        breaker.unanswered(waited=0.1, patience=2)
    assert breaker.state == "closed"


def test_one_who_is_in_no_hurry_finds_out_alone() -> None:
    breaker = Breaker(monotonic=Clock())
    for _ in range(LEAST):
        breaker.unanswered(waited=2, patience=2)
    assert breaker.state == "open"


def test_a_trial_in_a_hurry_is_soon_followed_by_another() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    failing(breaker, LEAST)
    clock.now += OPEN
    assert breaker.admit() == 0
    clock.now += 0.1
    breaker.unanswered(waited=0.1, patience=2)
    assert 0 < breaker.admit() <= 0.1
    clock.now += 0.1
    assert breaker.admit() == 0
    clock.now += 2
    breaker.unanswered(waited=2, patience=2)
    assert breaker.admit() == OPEN


def test_a_trial_that_hangs_does_not_close_the_door_for_ever() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock, probe_for=5)
    failing(breaker, LEAST)
    clock.now += OPEN
    assert breaker.admit() == 0
    clock.now += 5
    assert breaker.admit() == 0


def test_a_child_begins_anew() -> None:
    breaker = Breaker()
    failing(breaker, LEAST)
    child = os.fork()
    if child == 0:
        os._exit(0 if breaker.state == "closed" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert breaker.state == "open"


def test_retries_are_a_tenth() -> None:
    budget = Budget()
    spent = sum(budget.spend() for _ in range(100))
    assert spent == FIRST
    for _ in range(1000):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) == SAVED
    taken = 0
    for _ in range(200):
        budget.earn()
        taken += budget.spend()
    assert taken <= 20


def test_threads_spend_no_more_than_there_is() -> None:
    budget = Budget()
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda: taken.append(budget.spend())) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == FIRST
