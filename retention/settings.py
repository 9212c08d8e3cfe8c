"""What the retention clock lets its operator set."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetentionSettings:
    """Grace times and the hour of the daily run."""

    # Hour of the day (institute's time zone) at which the scheduler runs retention.
    run_hour: int = 3
    # How long a marked recording lies in the trash before it is deleted.
    trash_grace_hours: int = 72
    # The institute's time zone: six months are counted on its calendar.
    time_zone: str = "Asia/Shanghai"
    # Recordings that one run purges at most; the rest wait for the next.
    purge_batch: int = 500
