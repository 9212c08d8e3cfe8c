"""How the spool's disk does: by its room, and by what those who write to it meet."""

from domain.disk_state import DiskState
from ingest.lives import Lives


def spool_state(lives: Lives) -> DiskState:
    """That it fails, or has no room whatever it says, is seen where it is written to."""
    written = [session.recording for session in lives.sessions.values()]
    if any(one.endangered for one in written):
        return DiskState.failing
    return DiskState.full if any(one.paused for one in written) else lives.disk.state
