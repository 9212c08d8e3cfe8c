"""What the teaching workflow lets its operator set."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TeachingSettings:
    """Timetables and their limits."""

    # The time zone of timetables that name none.
    time_zone: str = "Asia/Shanghai"
    # Rows or occurrences that one import may hold.
    import_max_rows: int = 20_000
    # How far ahead a recurring entry is written out as sessions.
    horizon_days: int = 370
