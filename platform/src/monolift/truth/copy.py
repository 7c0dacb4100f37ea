"""The copy on disk: what a process knows of the topology when nobody answers it.

    <MONOLIFT["DATA"]>/topology/document.json

All processes of a deployable on one machine share it; the mailboxes of those who follow changes are
beside it.
"""

import os
import tempfile
import time
from pathlib import Path

from monolift.registry.settings import setting
from monolift.truth.document import Document, Malformed, decode, encode


def folder() -> Path:
    """Where it is, with the mailboxes."""
    return Path(setting("DATA")) / "topology"


def load() -> Document | None:
    """What was known last; None when nothing was, or nothing that can be read."""
    try:
        return decode(_file().read_bytes())
    except (OSError, Malformed):
        return None


def store(document: Document) -> None:
    """Remember it. A reader sees the old one or the new one, never a half."""
    _file().parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=_file().parent, suffix=".draft")
    with os.fdopen(handle, "w") as out:
        out.write(encode(document))
    Path(draft).replace(_file())


def age() -> float:
    """Seconds since it was found to be true; infinite without one."""
    try:
        return max(time.time() - _file().stat().st_mtime, 0.0)
    except OSError:
        return float("inf")


def confirm() -> None:
    """It was found to be true just now."""
    if _file().exists():
        _file().touch()


def _file() -> Path:
    return folder() / "document.json"
