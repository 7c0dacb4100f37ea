"""What was read before: a file's references while the file is the same, the verdict while all are.

A file is the same when its time and size are. The cache is a folder that can be deleted at any
time; what cannot be read in it is not used.
"""

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from monolift.boundaries.references import Reference
from monolift.boundaries.violations import Violation

T = TypeVar("T")


class Read(msgspec.Struct, frozen=True):
    """What one file was found to name."""

    stamp: tuple[int, int]
    references: list[Reference]


class _Files(msgspec.Struct):
    key: str
    files: dict[str, Read]


class _Verdict(msgspec.Struct):
    key: str
    violations: list[Violation]


class Cache:
    """A folder for what one project's check keeps between its runs; None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def files(self, key: str) -> dict[str, Read]:
        """What was read under the same key."""
        kept = self._load("files.msgpack", _Files)
        return kept.files if kept is not None and kept.key == key else {}

    def keep_files(self, key: str, files: dict[str, Read]) -> None:
        """Keep what was read, and nothing of before."""
        self._store("files.msgpack", _Files(key, files))

    def verdict(self, key: str) -> list[Violation] | None:
        """The violations of the last run, if it had the same key."""
        kept = self._load("verdict.msgpack", _Verdict)
        return kept.violations if kept is not None and kept.key == key else None

    def keep_verdict(self, key: str, violations: list[Violation]) -> None:
        """Keep the violations of this run."""
        self._store("verdict.msgpack", _Verdict(key, violations))

    def _load(self, name: str, kind: type[T]) -> T | None:
        if self._folder is None:
            return None
        try:
            return msgspec.msgpack.decode((self._folder / name).read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _store(self, name: str, value: object) -> None:
        if self._folder is None:
            return
        with contextlib.suppress(OSError):  # a read-only project is checked all the same
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / ".gitignore").write_text("*\n", encoding="utf-8")
            fresh = self._folder / f"{name}.new"
            fresh.write_bytes(msgspec.msgpack.encode(value))
            fresh.replace(self._folder / name)


def key_of(parts: Iterable[object]) -> str:
    """One word for a list of things, another for every other list."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()
