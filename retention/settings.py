"""What the retention clock lets its operator set. Reads nothing: `lectern/settings.py` fills it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetentionSettings:
    """Grace times and the hour of the daily run."""

    run_hour: int = 3
    """Hour of the day (institute's time zone) at which the scheduler runs retention."""
    trash_grace_hours: int = 72
    """How long a marked recording lies in the trash before it is deleted."""
    time_zone: str = "Asia/Shanghai"
    """The institute's time zone: six months are counted on its calendar."""
    purge_batch: int = 500
    """Recordings that one run purges at most; the rest wait for the next."""
