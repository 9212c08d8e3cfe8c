"""The process's metrics for Prometheus; docs/metrics.md lists each with its unit, and a test holds the list to this.

Rule: what is of one take is made from the last second's pictures when it is asked for, so that it costs nothing until
then, and a session that is over leaves no series behind. Units are Prometheus's: seconds, bytes, bits a second.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.encoder_health import HealthCode, Light
from storage.live_state import LiveState

PREFIX = "lectern_ingest_"
_LIGHTS = {Light.good: 0, Light.fair: 1, Light.poor: 2}


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else value * factor


OF_A_TAKE: dict[str, tuple[str, Callable[[LiveState], float | None]]] = {
    "take_video_bits_per_second": ("Picture received, mean of 5 s", lambda one: _times(1000, one.video_kbps)),
    "take_audio_bits_per_second": ("Sound received", lambda one: _times(1000, one.audio_kbps)),
    "take_frames_per_second": ("Frames received, mean of 5 s", lambda one: one.frame_rate),
    "take_keyframe_interval_seconds": (
        "From key frame to key frame", lambda one: _times(0.001, one.keyframe_interval_ms),
    ),
    "take_jitter_seconds": ("How unevenly frames came in the last 10 s", lambda one: _times(0.001, one.jitter_ms)),
    "take_queue_seconds": ("How much later media comes than at best", lambda one: _times(0.001, one.queue_ms)),
    "take_audio_offset_seconds": (
        "Sound before the picture of its time", lambda one: _times(0.001, one.audio_offset_ms),
    ),
    "take_frames_missing": ("Frames that never came since the take began", lambda one: one.dropped_frames),
    "take_repairs": ("Repairs of times in the last minute", lambda one: one.repairs),
    "take_health": ("0 good, 1 fair, 2 poor", lambda one: None if one.light is None else _LIGHTS[Light(one.light)]),
}  # fmt: skip


class TakeMetrics(Collector):
    """The metrics of each take that publishes now, by the pictures shown last."""

    def __init__(self) -> None:
        self.states: Sequence[LiveState] = ()

    def collect(self) -> Iterable[Metric]:
        publishing = [one for one in self.states if one.take_id is not None]
        for name, (help_text, value) in OF_A_TAKE.items():
            family = GaugeMetricFamily(PREFIX + name, help_text, labels=["session"])
            for one in publishing:
                if (measured := value(one)) is not None:
                    family.add_metric([str(one.session_id)], measured)
            yield family
        told = Tally(verdict.code for one in publishing for verdict in one.health)
        verdicts = GaugeMetricFamily(PREFIX + "encoder_verdicts", "Takes of which this is said now", labels=["code"])
        for code in HealthCode:
            verdicts.add_metric([code], told[code])
        yield verdicts


class Metrics:
    """All of them, in a registry of their own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def gauge(name: str, help_text: str) -> Gauge:
            return Gauge(PREFIX + name, help_text, registry=registry)

        self.publishers = gauge("publishers", "Takes publishing now")
        self.publishers_limit = gauge("publishers_limit", "Takes that may publish at one time here")
        self.sessions = gauge("sessions", "Live sessions here")
        self.viewers = gauge("viewers", "Viewers of all sessions here")
        self.viewers_of_others = gauge("viewers_of_others", "Viewers here of sessions that other nodes own")
        self.stand_ins = gauge("stand_ins", "Sessions shown from the store since their node does not answer")
        self.pending = gauge("reels_pending", "Reels not yet in the store")
        self.failing = gauge("upload_failing", "1 while uploads fail")
        self.disk_full = gauge("disk_full", "1 while a recording pauses: the disk is full, or takes nothing")
        self.disk_failing = gauge(
            "disk_failing", "1 while the spool's disk does not confirm what it takes, or takes nothing"
        )
        self.verified = gauge("spool_verified_bytes", "Spool kept though the store has it")
        self.missing = gauge("frames_missing", "Frames that never came, of live takes")
        self.bytes = Counter(PREFIX + "media_bytes", "Media received", ["kind"], registry=registry)
        self.refusals = Counter(PREFIX + "refusals", "Publishes refused", ["code"], registry=registry)
        self.lag = Histogram(
            PREFIX + "loop_lag_seconds",
            "How late the event loop runs a timer",
            buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
            registry=registry,
        )
        self.takes = TakeMetrics()
        registry.register(self.takes)

    def text(self) -> bytes:
        return generate_latest(self.registry)
