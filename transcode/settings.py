"""What the workers let their operator set. Reads nothing: `lectern/settings.py` fills it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TranscodeSettings:
    """The ladder, retries and the working folder of workers. Times are seconds."""

    work_folder: Path = Path(".data/work")
    """Where a job keeps its files while it runs; emptied after each."""
    ffmpeg_threads: int = 2
    """Threads that decode a reel; each rendition is encoded by one more."""
    preset: str = "veryfast"
    """x264 preset of the ladder."""
    retry_waits_seconds: tuple[int, ...] = (5, 30, 120, 600)
    """Waits before a failed job is tried again; after the last it shows on the recording with its log."""
    job_timeout_seconds: int = 3600
    """The longest that one job may run."""
    still_interval_seconds: int = 10
    """A still is kept for each so many seconds of a recording."""
