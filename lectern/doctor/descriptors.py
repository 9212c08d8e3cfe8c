"""How many files and connections a process may have open: every encoder and every viewer is one."""

import resource

from lectern.doctor.finding import Finding, bad, doubtful, good
from lectern.settings import Settings

ENOUGH = 8192
# Stores' pools, spool files and logs, before the first viewer.
OWN_USE = 256
HOW = "raise it: LimitNOFILE=65536 in the unit (deploy/systemd has it), `ulimit -n 65536` in a shell"


def limit(settings: Settings) -> Finding:
    """The soft limit of this process, as its children inherit it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return good("unlimited")
    needed = OWN_USE + settings.ingest.max_publishers
    if soft < needed:
        return bad(f"{soft} open files: {needed} are used before the first viewer", HOW)
    if soft < ENOUGH:
        return doubtful(f"{soft} open files: room for about {soft - needed} viewers", HOW)
    return good(f"{soft} open files")
