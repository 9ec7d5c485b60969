"""That no worker outlives its parent: this file holds the signal that ends it.

The intake thread sees the parent close as well, but a thread of Python runs only when no other one
holds the interpreter, and a worker that hangs may hold it for ever. This is done by the kernel.
"""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import sys
from contextlib import suppress


def end_with(descriptor: int) -> None:
    """Have this process killed when the other end of a socket closes.

    Nobody may ever write into the other end: that would end the process too. Anything but a socket,
    such as a terminal, is left alone.

    Args:
        descriptor: This end.
    """
    if sys.platform != "linux" or not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    # A socket that was closed before the signal was asked for is seen by the intake thread.
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
