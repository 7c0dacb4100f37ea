"""What an error while loading somebody's project says: where it is, and what, in one line."""

import os
import sys
import traceback
from pathlib import Path

from monolift.boundaries.first_party import is_first_party


def said(error: BaseException) -> str:
    """The kind of error and its text, in one line without a full stop."""
    if isinstance(error, SyntaxError):
        return f"syntax error: {error.msg}"
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place(error: BaseException, root: Path) -> str:
    """`file:line` of the project's code nearest to the error; else the file of the settings."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(error.filename, root)}:{error.lineno or 1}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<")
    ]
    own = [frame for frame in frames if is_first_party(Path(frame.filename), root)]
    if own:
        return f"{_shown(own[-1].filename, root)}:{own[-1].lineno}"
    module = os.environ["DJANGO_SETTINGS_MODULE"]
    file = getattr(sys.modules.get(module), "__file__", None)
    return _shown(file, root) if file else module


def _shown(path: str, root: Path) -> str:
    resolved = Path(path).resolve()
    if resolved.is_relative_to(root):
        return resolved.relative_to(root).as_posix()
    return resolved.as_posix()
