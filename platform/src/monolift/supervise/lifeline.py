"""Ends a process with its parent, also when the parent is killed and can tell nobody.

Linux has a signal for it (PR_SET_PDEATHSIG, prctl(2)). Elsewhere the parent's own shutdown is all
there is.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

# Loaded up front: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent(*, parent: int, with_signal: int = signal.SIGTERM) -> None:
    """Have `with_signal` sent to this process when `parent`, its parent process, ends."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), with_signal)
