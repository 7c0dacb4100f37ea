"""What a test run leaves behind, and takes away again."""

import os
import shutil
from pathlib import Path


def clear_up(folder: Path, process: int) -> None:
    """Take a folder away when the process that made it ends, not one that it forked."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
