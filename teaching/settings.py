"""What the teaching workflow lets its operator set. Reads nothing: `lectern/settings.py` fills it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TeachingSettings:
    """Timetables and the limits of their imports."""

    time_zone: str = "Asia/Shanghai"
    """The time zone of timetables that name none."""
    import_max_rows: int = 20_000
    """Rows or occurrences that one import may hold."""
    horizon_days: int = 370
    """How far ahead a recurring entry is written out as sessions."""
