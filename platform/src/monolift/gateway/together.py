"""Asking several modules at once, under one deadline.

    with together(seconds=2.0) as ask:
        products = ask(parts.products, currency="EUR", limit=100)
        popular = ask(parts.popular, skus=(), limit=12)
    show(products.answer, popular.answer)

What is in another deployable is asked at once and side by side; what is here is asked in order at
the end of the block, by the thread that asks, at the price of the calls alone.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from types import TracebackType
from typing import Any, Self

from monolift.gateway.parts import Part
from monolift.registry.callers import Caller, acting_for, end_user
from monolift.resilience.deadline import deadline

SIDE_BY_SIDE = 32
"""Calls that wait for other deployables in one process at a time; what is more waits its turn."""


class Answer[T]:
    """What a part answered. Asked for too early, it is asked now."""

    def __init__(self, find: Callable[[], T]) -> None:
        self._find: Callable[[], T] | None = find
        self._found: T
        self._failed: BaseException | None = None

    @property
    def answer(self) -> T:
        """The answer. Raises what its part raised: a refusal, or the silence of a needed one."""
        if self._find is not None:
            find, self._find = self._find, None
            try:
                self._found = find()
            except BaseException as error:
                self._failed = error
        if self._failed is not None:
            raise self._failed
        return self._found


class together:  # noqa: N801 - used like a function, as contextlib's are
    """Ask parts side by side. See the module's docstring."""

    def __init__(self, *, seconds: float | None = None) -> None:
        """`seconds` for all of them; without, what the request still has."""
        self._limits = ExitStack()
        self._seconds = seconds
        self._asked: list[Answer[Any]] = []

    def __enter__(self) -> Self:
        if self._seconds is not None:
            self._limits.enter_context(deadline(seconds=self._seconds))
        return self

    def __call__[**P, T](self, asked: Part[P, T], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """Ask a part, as it is called."""
        if asked.is_quick(kwargs):
            found = Answer(lambda: asked(*args, **kwargs))
        else:
            user = end_user()  # found here: another thread has connections of its own
            context = copy_context()
            future: Future[T] = _pool().submit(
                lambda: context.run(_on_behalf, user, asked, args, kwargs)
            )
            found = Answer(future.result)
        self._asked.append(found)
        return found

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._limits:
            if error is None:
                for one in self._asked:
                    _ = one.answer  # the first that failed is raised here


def _on_behalf(user: Caller | None, asked: Any, args: Any, kwargs: Any) -> Any:
    with acting_for(user):
        return asked(*args, **kwargs)


_one: ThreadPoolExecutor | None = None


def _pool() -> ThreadPoolExecutor:
    global _one
    if _one is None:
        _one = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="monolift-part")
    return _one


def _forget() -> None:
    """A child process has none of its parent's threads."""
    global _one
    _one = None


os.register_at_fork(after_in_child=_forget)
