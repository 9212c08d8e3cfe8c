"""The clock of every process; whoever needs the time is given this, or a test's."""

from datetime import UTC, datetime


def now() -> datetime:
    """The clock of every process."""
    return datetime.now(UTC)
