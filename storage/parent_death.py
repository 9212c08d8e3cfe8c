"""No process of ours outlives the one that started it: the kernel's parent-death signal, prctl(2).

Two rules. The signal is sent when the *thread* that forked ends, so fork from one that lives as long as the child may.
And it is forgotten when the child changes its user, so ask after that.
"""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)  # loaded here: nothing may be imported or located after the fork


def die_with_parent(death_signal: signal.Signals, parent: int) -> None:
    """Called in a freshly forked process: ask the kernel for `death_signal` when process `parent` ends."""
    _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:  # it ended between the fork and the call above
        os._exit(1)
