"""One live session: its takes, one behind the other, and what becomes of their media.

The way of every event: packager → spool → release gate → window (live, DVR) and reels (replay), or evidence. An
encoder that goes away leaves the session as it is, waiting; a new take goes on in the same recording behind a
discontinuity. The end is said by a person or the schedule, never guessed; what the gate still holds then comes out at
its own time, and the playlists end behind it.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from uuid import UUID

from ingest.cuts import cut_rule
from ingest.events import CLOCK, Event, Init, Part, SegmentOpened
from ingest.hls.bell import Bell
from ingest.hls.playlists import LivePlaylist, Rendition
from ingest.hls.preview import Preview
from ingest.hls.sources import SpoolSource, StoredSource
from ingest.hls.window import LiveWindow
from ingest.holding import loop
from ingest.holding.playing import Holding
from ingest.live_facts import LiveFacts, Resumption
from ingest.live_recording import DISK_PROBLEMS, LiveRecording
from ingest.packager import Packager
from ingest.reel_plan import TakeAbout
from ingest.reels import ReelJob
from ingest.release_gate import GatedEvent, Passage, ReleaseGate
from ingest.rtmp.events import EndReason
from ingest.settings import IngestSettings
from ingest.spool import TakeSpool
from ingest.take import Publish, Take
from ingest.timeline import next_base

RENDITIONS: tuple[Rendition, ...] = ("main", "audio")


@dataclass(frozen=True, slots=True)
class LiveHooks:
    """What a live session tells its process. All are called on the loop and return at once."""

    reel: Callable[[ReelJob], None]
    take_described: Callable[[Take], None]
    take_ended: Callable[["LiveSession", Take, str, str | None], None]
    finished: Callable[["LiveSession"], None]
    """The session is over and all of it is through the gate."""
    disk_full: Callable[[], bool]


class LiveSession:
    """`clock` is the loop's monotonic clock, `wall` the wall's; `threads` flush files."""

    def __init__(
        self,
        settings: IngestSettings,
        facts: LiveFacts,
        hooks: LiveHooks,
        *,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        threads: Executor,
        resumption: Resumption | None = None,
        cut: bool = False,
    ) -> None:
        self.settings = settings
        self.facts = facts
        self.window = LiveWindow(
            origin=facts.origin,
            part_target_seconds=settings.part_seconds,
            segments_in_memory=settings.segments_in_memory,
        )
        self.playlists = {one: LivePlaylist(self.window, one, settings.segment_max_seconds) for one in RENDITIONS}
        self.bell = Bell()
        self.holding = Holding(self.window, loop.of(settings))
        self.gate = ReleaseGate(facts.delay_seconds, closed=cut, trusted_until=-inf if facts.reviewed else inf)
        held = cut or facts.reviewed or facts.delay_seconds > 0
        self.preview = Preview(settings, facts) if held else None
        """What its reviewer sees; of a session that was never held nor cut: the same as its audience."""
        self.take: Take | None = None
        self.lost_at: float | None = clock()
        """Since when no encoder publishes, by the monotonic clock; at most since a restart made the session again."""
        self.ending = False
        """No more media comes in; what is held comes out yet."""
        self.ended_at: float | None = None
        self.obeyed = 0
        """The version that the session's row had at the newest order that was carried out."""
        self.kicked = 0
        """The same of the newest kick, which changes nothing that lasts."""
        self.problem: tuple[str, dict[str, str | int]] | None = None
        """What the instructor's page should say, as a code with its facts."""
        self._hooks = hooks
        self._clock, self._wall = clock, wall
        self._zero_at = clock() - (wall() - facts.origin).total_seconds()
        self._delay = round(facts.delay_seconds * CLOCK)
        self._left = resumption or Resumption()
        self._inits: dict[int, Init] = {}  # of media that the audience has nothing of yet
        self._rule = cut_rule(settings.part_seconds, settings.segment_min_seconds, settings.segment_max_seconds)
        self.recording = LiveRecording(settings, self._left.next_reel_number, hooks.reel, hooks.disk_full, threads)

    @property
    def ended(self) -> bool:
        """It is over, and all of it is through the gate."""
        return self.ended_at is not None

    @property
    def due(self) -> int:
        """Up to where on the line, in ticks, its audience should be shown something by now."""
        return round((self._clock() - self._zero_at) * CLOCK) - self._delay

    @property
    def lost_since(self) -> datetime | None:
        """Since when no encoder publishes, by the clock on the wall; None while one does."""
        return None if self.lost_at is None else self._wall() - timedelta(seconds=self._clock() - self.lost_at)

    def about_take(self, take_id: UUID, number: int) -> TakeAbout:
        """What the spool of a new take says of it."""
        facts = self.facts
        return TakeAbout(
            facts.session_id,
            facts.recording_id,
            take_id,
            number,
            self.settings.node,
            facts.origin,
            len(self.window.segments),
            facts.delay_seconds,
        )

    def begin_take(self, publish: Publish, spool: TakeSpool) -> Take:
        """A new take, which goes on where the session is; the one before must be over."""
        left = self._left
        packager = Packager(
            self._rule, serial=left.next_serial, init_number=left.next_init_number, discontinuity=left.has_media
        )
        if self.gate.is_cut:
            self.recording.mark_cut(spool, left.next_serial, 0)
        self.take = Take(publish, self, spool, packager, base=self._base, clock=self._clock)
        self.lost_at = self.problem = None
        return self.take

    def accept(self, take: Take, events: list[Event]) -> None:
        """Spools what a take made and offers it to the gate."""
        gated: list[GatedEvent] = []
        if self.preview:
            self.preview.show(events)
        for event in events:
            if isinstance(event, Init):
                self.recording.write_init(take.spool, event)
                self._inits[event.number] = event
                continue
            self.recording.write(take.spool, event)
            gated.append(event)
        self._pass(self.gate.offer(gated, self._clock()))

    def take_described(self, take: Take) -> None:
        self._hooks.take_described(take)

    def take_ended(self, take: Take, reason: str, refusal: str | None) -> None:
        """Closes the take's reels: what there is gets to the store whether or not another take comes."""
        left, packager = self._left, take.packager
        left.end = max(left.end, take.end)
        left.next_serial, left.next_init_number = packager.next_serial, packager.next_init_number
        left.has_media = packager.next_discontinuity
        self.recording.seal(take.spool)
        take.spool.over = True
        self._flush_when_passed()
        if self.take is take:
            self.take, self.lost_at = None, self._clock()
        if told := refusal or (reason if reason == EndReason.BROKE_RULES else None):
            self.problem = (told, {"codec": take.unsupported_codec} if take.unsupported_codec else {})
        self._hooks.take_ended(self, take, reason, refusal)

    def cut(self) -> None:
        """Nothing more of the class goes out, the holding picture does. What is withheld from here on is evidence.
        Saying it twice changes nothing.
        """
        if self.gate.is_cut or self.ended:
            return
        self.preview = self.preview or Preview(self.settings, self.facts, {**self.window.inits, **self._inits})
        self._withhold(self.gate.cut())
        self.hold()
        if self.take:
            self.recording.mark_holding(self.take.spool, self.window.next_msn, self.holding.start)

    def hold(self) -> None:
        """The holding picture is shown, until something of the class is let out."""
        reached = self.take.packager.reached if self.take else -1
        self.holding.begin(self.due if reached < 0 else reached - self._delay, self._clock())
        self.bell.ring()

    def resume(self) -> None:
        """The audience goes on at the next key frame that comes."""
        if not self.gate.is_cut or self.ended:
            return
        self.gate.resume(self.take.packager.reached if self.take else -1)
        self.window.hint_no_more()
        if self.take:
            self.take.packager.segment_at_next_key()

    def end(self, reason: str, code: str, description: str) -> None:
        """The session is over: the encoder is told. What is held passes when its time comes, then playlists say it."""
        if self.ending:
            return
        self.ending = True
        if self.take:
            self.take.hang_up(code, description, reason)
        self._finish_when_passed()

    def abandon(self, reason: str, code: str, description: str) -> None:
        """Another server has the session now, and with it the say over what goes out: what is held is evidence."""
        self.window.leave()
        if self.preview:
            self.preview.window.leave()
        self.ending = True
        if self.take:
            self.take.hang_up(code, description, reason)
        self._withhold(self.gate.cut())
        self._finish()

    def release_due(self) -> None:
        """Lets out what was held long enough. Called at the gate's deadline, or shortly after."""
        deadline = self.gate.next_deadline()
        if deadline is not None and deadline <= self._clock():
            self._pass(self.gate.release(self._clock()))
            if self.take is None:
                self._flush_when_passed()
        if self.holding.go_on(self._clock()):
            self.bell.ring()
        if self.ending:
            self._finish_when_passed()

    def freed(self, job: ReelJob) -> None:
        """A reel's spool files are gone: its segments are read from the store from now on."""
        key, offset = job.plan.key, 0
        for planned in job.plan.segments:
            segment = self.window.find(planned.msn)
            if segment is not None and planned.msn >= 0:
                segment.source = StoredSource(key, offset, planned.source.length)
            offset += planned.source.length

    def _withhold(self, passage: Passage) -> None:
        """The gate has just closed. A crash must not forget where: the spool is told before anybody else."""
        take = self.take
        if take is None:
            self._pass(passage)
            return
        events = take.packager.break_segment()
        held = next((event for event in passage.evidence if isinstance(event, Part)), None)
        serial, index = (held.serial, held.index) if held else (take.packager.next_serial, 0)
        self.recording.mark_cut(take.spool, serial, index)
        self._pass(passage)
        self.accept(take, events)

    def _base(self) -> int:
        """Where on the line a take begins whose first packet comes now. Since this process opened the session the line
        goes by the monotonic clock: one on the wall that is set leaves neither a hole nor a jump in its dates.
        """
        return next_base(self._left.end, self.due + self._delay)

    def _pass(self, passage: Passage) -> None:
        for event in passage.public:
            held = None
            if isinstance(event, SegmentOpened):
                self.holding.end()
                held = self.window.held_before(self.window.next_msn)
                if (init := self._inits.pop(event.init_number, None)) is not None:
                    self.window.add_init(init)
            closed = self.window.apply(event)
            lies = self.recording.passed(event, self.window.segments[-1].msn, held)
            if closed is not None and lies is not None:
                spool, planned = lies
                closed.source = SpoolSource(spool.folder, *planned.source)
        for event in passage.evidence:
            self.recording.withheld(event)
        if (paused := self.recording.problem) or self.problem in DISK_PROBLEMS:
            self.problem = paused
        if passage.public:
            self.bell.ring()

    def _flush_when_passed(self) -> None:
        if self.gate.next_deadline() is None:
            self.recording.flush()

    def _finish_when_passed(self) -> None:
        if not self.ended and self.gate.next_deadline() is None:
            self._finish()
            self._hooks.finished(self)

    def _finish(self) -> None:
        self.ended_at = self._clock()
        self.recording.flush()
        self.holding.end()
        self.window.end()
        self.bell.ring()
        if self.preview:
            self.preview.end()
