"""Which line of the project makes a call."""

from pathlib import Path
from types import FrameType

_LIBRARY = str(Path(__file__).parents[1])


def calling_line(frame: FrameType | None) -> str:
    """`file:line` of the innermost frame outside the library, relative to the working folder."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((_LIBRARY, "<")) and "/contextlib." not in file:
            break
        frame = frame.f_back
    if frame is None:
        return "unknown"
    path = Path(frame.f_code.co_filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{frame.f_lineno}"
