"""How long to wait before the next piece of work, so that all together keep to a rate. Pure: time is an argument."""


class Pace:
    """Work of so many bytes a second at most, each piece of work begun when those before it have had their time."""

    def __init__(self, bytes_per_second: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_at = 0.0

    def wait_seconds(self, size: int, now: float) -> float:
        """Books `size` bytes: how long to wait before they may be begun. Time in which nothing was booked is lost."""
        begins = max(self._free_at, now)
        self._free_at = begins + size / self._bytes_per_second
        return begins - now
