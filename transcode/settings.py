"""What the workers let their operator set."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TranscodeSettings:
    """The ladder, retries and the working folder. Times are seconds, sizes bytes."""

    # Where a job keeps its files while it runs; emptied after each.
    work_folder: Path = Path(".data/work")
    # Threads that decode a reel; each rendition is encoded by one more.
    ffmpeg_threads: int = 2
    # x264 preset of the ladder.
    preset: str = "veryfast"
    # Waits before a failed job is tried again; after the last it shows on the recording with its log.
    retry_waits_seconds: tuple[int, ...] = (5, 30, 120, 600)
    # The longest that one job may run.
    job_timeout_seconds: int = 3600
    # A still is kept for each so many seconds of a recording.
    still_interval_seconds: int = 10
