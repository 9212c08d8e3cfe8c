"""What this process tells of its sessions: each second a picture of every encoder for the pages, and metrics for
operators.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import redis.asyncio
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from redis.exceptions import RedisError

from ingest.hls.viewers import Viewers
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.take import Take
from ingest.take_statistics import Reading
from storage import live_state
from storage.live_state import LiveState

log = structlog.get_logger()


class Metrics:
    """The process's metrics, in a registry of its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def gauge(name: str, help_text: str) -> Gauge:
            return Gauge(f"lectern_ingest_{name}", help_text, registry=registry)

        self.publishers = gauge("publishers", "Takes publishing now")
        self.sessions = gauge("sessions", "Live sessions here")
        self.viewers = gauge("viewers", "Viewers of all sessions here")
        self.pending = gauge("reels_pending", "Reels not yet in the store")
        self.failing = gauge("upload_failing", "1 while uploads fail")
        self.disk_full = gauge("disk_full", "1 while recording pauses")
        self.verified = gauge("spool_verified_bytes", "Spool kept though the store has it")
        self.missing = gauge("frames_missing", "Frames that never came, of live takes")
        self.bytes = Counter("lectern_ingest_media_bytes", "Media received", ["kind"], registry=registry)
        self.lag = Histogram(
            "lectern_ingest_loop_lag_seconds",
            "How late the event loop runs a timer",
            buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
            registry=registry,
        )

    def text(self) -> bytes:
        return generate_latest(self.registry)


class Statistics:
    """`valkey` may be away: then pages show no picture, and nothing else happens."""

    def __init__(
        self,
        lives: Lives,
        viewers: Viewers,
        metrics: Metrics,
        valkey: redis.asyncio.Redis,
        *,
        wall: Callable[[], datetime],
    ) -> None:
        self._lives = lives
        self._viewers = viewers
        self._metrics = metrics
        self._valkey = valkey
        self._wall = wall
        self._valkey_away = False

    async def tell(self) -> None:
        """Once a second."""
        states = [self._picture(session) for session in self._lives.sessions.values()]
        self._gauge(states)
        try:
            await asyncio.gather(*(live_state.publish(self._valkey, state) for state in states))
            self._valkey_away = False
        except (RedisError, OSError) as error:
            if not self._valkey_away:
                log.warning("live_state_not_told", error=str(error))
            self._valkey_away = True

    def _picture(self, session: LiveSession) -> LiveState:
        take, facts = session.take, session.facts
        code, problem_facts = session.problem or (take.warning if take else None) or (None, {})
        viewers = self._viewers.watching(facts.session_id)
        common = LiveState(
            session_id=facts.session_id,
            node=self._lives.settings.node,
            state=_state(session, self._lives.clock()),
            at=self._wall(),
            encoder_lost_at=None if session.ended else session.lost_since,
            viewers=viewers,
            problem_code=code,
            problem_facts=problem_facts,
        )
        return common if take is None else self._with_take(common, take)

    def _with_take(self, state: LiveState, take: Take) -> LiveState:
        reading = take.statistics.read(self._lives.clock())
        self._count(reading)
        video, audio = take.statistics.video, take.statistics.audio
        return LiveState(
            session_id=state.session_id,
            node=state.node,
            state=state.state,
            at=state.at,
            viewers=state.viewers,
            problem_code=state.problem_code,
            problem_facts=state.problem_facts,
            take_id=take.id,
            take_number=take.number,
            protocol=take.publish.protocol,
            encoder=take.encoder,
            width=video.width if video else None,
            height=video.height if video else None,
            frame_rate=reading.frame_rate,
            video_codec=video.codec if video else None,
            audio_codec=audio.codec if audio else None,
            video_kbps=reading.video_kbps,
            audio_kbps=reading.audio_kbps,
            keyframe_interval_ms=reading.keyframe_interval_ms,
            dropped_frames=reading.dropped_frames,
        )

    def _count(self, reading: Reading) -> None:
        self._metrics.bytes.labels("video").inc(reading.video_kbps * 125)
        self._metrics.bytes.labels("audio").inc(reading.audio_kbps * 125)

    def _gauge(self, states: list[LiveState]) -> None:
        metrics, lives = self._metrics, self._lives
        metrics.publishers.set(lives.publishers)
        metrics.sessions.set(len(lives.sessions))
        metrics.viewers.set(sum(state.viewers for state in states))
        metrics.pending.set(lives.uploader.pending)
        metrics.failing.set(lives.uploader.failing_since is not None)
        metrics.disk_full.set(lives.disk.full)
        metrics.verified.set(lives.disk.verified_bytes)
        metrics.missing.set(sum(state.dropped_frames for state in states))


def _state(session: LiveSession, now: float) -> str:
    """live, cut, reconnecting (an encoder was lost a moment ago), waiting (for long), or ended."""
    if session.ended:
        return "ended"
    if session.gate.is_cut:
        return "cut"
    if session.take is not None:
        return "live"
    lost_for = now - session.lost_at if session.lost_at is not None else 0.0
    return "reconnecting" if lost_for < session.settings.grace_seconds else "waiting"
