"""What this process tells of its sessions: each second a picture of every encoder for the pages, with what it should do
better, and metrics for operators.

Rule: however many sessions there are, a second costs one round trip to Valkey.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from domain.disk_state import DiskState
from domain.encoder_health import Verdict, disk_health, encoder_health, worst
from domain.refusals import Refusal, RefusalCode
from ingest.encoder_facts import facts_of
from ingest.hls.viewers import Viewers
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.metrics import Metrics
from ingest.rtmp.bit_rate import BIT_RATE_HIGH
from ingest.spool_state import spool_state
from ingest.take import Take
from ingest.take_statistics import Reading
from storage import live_state
from storage.live_state import EncoderVerdict, LiveState

log = structlog.get_logger()


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
        self._refused: dict[UUID, LiveState] = {}  # since the last second

    def refused(self, session_id: UUID | None, refusal: Refusal) -> None:
        """Counts a publish that was not let in; whoever teaches the session that its key was for is told why."""
        self._metrics.refusals.labels(refusal.code.value).inc()
        # A key in use says nothing of why nobody publishes: somebody does.
        if session_id is not None and refusal.code != RefusalCode.key_in_use:
            self._refused[session_id] = LiveState(
                session_id=session_id,
                node=self._lives.settings.node,
                state="refused",
                at=self._wall(),
                problem_code=refusal.code.value,
                problem_facts=refusal.facts,
            )

    async def tell(self) -> None:
        """Once a second."""
        states = [self._picture(session) for session in self._lives.sessions.values()]
        self._gauge(states)
        refused, self._refused = self._refused, {}
        try:
            await live_state.publish_many(self._valkey, states, list(refused.values()))
            self._valkey_away = False
        except (RedisError, OSError) as error:
            if not self._valkey_away:
                log.warning("live_state_not_told", error=str(error))
            self._valkey_away = True

    def _picture(self, session: LiveSession) -> LiveState:
        take, facts = session.take, session.facts
        code, problem_facts = session.problem or (_warning(take) if take else None) or (None, {})
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
            frozen=session.gate.is_frozen(self._lives.clock()),
        )
        disk = _disk_of(session, self._lives.disk.state)
        if take is None:
            return _judged(common, disk_health(disk, self._lives.disk.free_bytes))
        return self._with_take(common, take, disk)

    def _with_take(self, state: LiveState, take: Take, disk: DiskState) -> LiveState:
        statistics = take.statistics
        reading = statistics.read(self._lives.clock(), take.timeline.repairs.total if take.timeline else 0)
        self._count(reading)
        lives = self._lives
        facts = facts_of(take, reading, lives.settings.encoder_megabits, disk, lives.disk.free_bytes)
        video, audio = statistics.video, statistics.audio
        shown = msgspec.structs.replace(
            state,
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
            jitter_ms=reading.jitter_ms,
            queue_ms=reading.queue_ms,
            audio_offset_ms=reading.audio_offset_ms,
            repairs=reading.repairs_lately,
        )
        return _judged(shown, encoder_health(facts))

    def _count(self, reading: Reading) -> None:
        self._metrics.bytes.labels("video").inc(reading.video_bytes)
        self._metrics.bytes.labels("audio").inc(reading.audio_bytes)

    def _gauge(self, states: list[LiveState]) -> None:
        metrics, lives = self._metrics, self._lives
        metrics.takes.states = states
        metrics.publishers.set(lives.publishers)
        metrics.publishers_limit.set(lives.settings.max_publishers)
        metrics.sessions.set(len(lives.sessions))
        metrics.viewers.set(sum(state.viewers for state in states))
        metrics.pending.set(lives.uploader.pending)
        metrics.failing.set(lives.uploader.failing_since is not None)
        metrics.disk_full.set(lives.disk.full or any(one.recording.paused for one in lives.sessions.values()))
        metrics.disk_failing.set(spool_state(lives) == DiskState.failing)
        metrics.verified.set(lives.disk.verified_bytes)
        metrics.missing.set(sum(state.dropped_frames for state in states))


def _judged(state: LiveState, verdicts: list[Verdict]) -> LiveState:
    health = [EncoderVerdict(one.code, one.light, one.facts) for one in verdicts]
    return msgspec.structs.replace(state, light=worst(verdicts), health=health)


def _disk_of(session: LiveSession, state: DiskState) -> DiskState:
    """The session's word of its disk. One that is paused is told why already, as its problem."""
    if session.recording.paused:
        return DiskState.good
    return DiskState.failing if session.recording.endangered else state


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


def _warning(take: Take) -> tuple[str, dict[str, str | int]] | None:
    """What its encoder was told. Not of its bit rate: that is among the verdicts, and goes when it is kept to again."""
    warning = take.warning
    return None if warning is None or warning[0] == BIT_RATE_HIGH else warning
