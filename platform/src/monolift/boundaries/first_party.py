"""Which files are a project's own."""

import sys
from pathlib import Path


def is_first_party(path: Path, root: Path) -> bool:
    """Whether a file is the project's own: below its folder, and not installed there."""
    path = path.resolve()
    if not path.is_relative_to(root):
        return False
    inside = path.relative_to(root).parts
    if {"site-packages", "dist-packages", "node_modules"} & set(inside):
        return False
    prefix = Path(sys.prefix).resolve()
    return not (prefix.is_relative_to(root) and prefix != root and path.is_relative_to(prefix))
