"""How well one stream is received, as receiver reports say it (RFC 3550 §6.4.1, A.3, A.8). Pure."""

from ingest.whip.rtcp import ReportBlock


class Reception:
    """`rate` is the stream's RTP ticks a second."""

    def __init__(self, ssrc: int, rate: int) -> None:
        self.ssrc = ssrc
        self._rate = rate
        self._first: int | None = None
        self._highest = 0
        self._received = 0
        self._jitter = 0.0
        self._transit: int | None = None
        self._reported_expected = 0
        self._reported_received = 0
        self._sender_report: tuple[int, float] | None = None

    def heard(self, number: int, timestamp: int, now: float) -> None:
        """A packet came, with its extended number."""
        if self._first is None:
            self._first = self._highest = number
        self._first = min(self._first, number)
        self._received += 1
        if number < self._highest:
            return
        self._highest = number
        transit = (int(now * self._rate) - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            step = (transit - self._transit) & 0xFFFFFFFF
            self._jitter += (min(step, (1 << 32) - step) - self._jitter) / 16
        self._transit = transit

    def sender_report(self, ntp: int, now: float) -> None:
        """The sender's report came: it learns from ours how long the way and back takes."""
        self._sender_report = (ntp >> 16 & 0xFFFFFFFF, now)

    def block(self, now: float) -> ReportBlock | None:
        """The report since the last one; None before anything came."""
        if self._first is None:
            return None
        expected = self._highest - self._first + 1
        interval = expected - self._reported_expected
        lost = interval - (self._received - self._reported_received)
        self._reported_expected, self._reported_received = expected, self._received
        fraction = min(255, (lost << 8) // interval) if interval > 0 and lost > 0 else 0
        last, since = 0, 0
        if self._sender_report is not None:
            last, since = self._sender_report[0], int((now - self._sender_report[1]) * 65536) & 0xFFFFFFFF
        return ReportBlock(
            self.ssrc, fraction, expected - self._received, self._highest & 0xFFFFFFFF, int(self._jitter), last, since
        )
