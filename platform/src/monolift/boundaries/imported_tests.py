"""Files that are named as tests are and that other code imports: they run in production."""

import re
from collections.abc import Iterable, Iterator

from monolift.boundaries.files import Files, SourceFile
from monolift.boundaries.references import Reference

_NAMING = frozenset(("import", "dynamic-import", "dotted"))
_NAME = rb"(?:\btest(?:s?\b|_)|_test\b|\bconftest\b)"
_LIKELY = re.compile(
    rb"\bimport\b[^\n]*%s|\bfrom[ \t]+[\w.]*%s|\bimport[ \t]*\([^)]*%s|['\"][\w.]*\.\w*?%s"
    % (_NAME, _NAME, _NAME, _NAME)
)


def may_import_a_test(content: bytes) -> bool:
    """False when nothing in a file can name one that is called as tests are."""
    return b"test" in content and _LIKELY.search(content) is not None


class ImportedTests:
    """Tells of each file with a test's name once: when a file that is none is seen to name it."""

    def __init__(self, files: Files) -> None:
        self._waiting = {file.name: file for file in files.tests}

    def named_by(self, references: Iterable[Reference]) -> Iterator[SourceFile]:
        """The files that these references name and that nobody named before."""
        for reference in references if self._waiting else ():
            name = reference.value if reference.kind in _NAMING else ""
            while name:
                if (found := self._waiting.pop(name, None)) is not None:
                    yield found
                name = name.rpartition(".")[0]
