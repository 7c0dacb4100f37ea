"""Files that each process writes for those who add them up."""

import threading
from pathlib import Path


def put(target: Path, content: bytes) -> None:
    """Write a file. A reader sees the old one or the new one, never a half. Raises OSError."""
    draft = target.with_suffix(f".{threading.get_ident()}")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(content)
    draft.replace(target)
