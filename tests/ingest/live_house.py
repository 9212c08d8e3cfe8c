"""A live session by hand, with clocks that are set: what its process is to it, kept for looking at."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.kinds import Protocol
from ingest.events import CLOCK
from ingest.hls.sources import SpoolSource
from ingest.hls.window import WindowSegment
from ingest.live_facts import LiveFacts, Resumption
from ingest.live_session import LiveHooks, LiveSession
from ingest.reels import ReelJob
from ingest.settings import IngestSettings
from ingest.spool import TakeSpool
from ingest.take import Publish, Take
from media.packet import Packet
from tests.ingest.builders import audio, interleaved, video

ORIGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass
class House:
    """What a live session is surrounded by, with clocks that are set by hand."""

    settings: IngestSettings
    delay_seconds: float = 0.0
    reviewed: bool = False
    full: bool = False
    seconds: float = 0.0
    stepped: float = 0.0
    """How far the clock on the wall was set, beside going on."""
    reels: list[ReelJob] = field(default_factory=list)
    ended: list[tuple[str, str | None]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    """When the session was over and through its gate."""
    takes: int = 0

    def __post_init__(self) -> None:
        self.threads = ThreadPoolExecutor(1)
        self.session = self.open()

    def open(self, resumption: Resumption | None = None, *, cut: bool = False) -> LiveSession:
        hooks = LiveHooks(
            reel=self.reels.append,
            take_described=lambda take: None,
            take_ended=lambda session, take, reason, refusal: self.ended.append((reason, refusal)),
            finished=lambda session: self.finished.append(self.seconds),
            disk_full=lambda: self.full,
        )
        facts = LiveFacts(uuid4(), uuid4(), ORIGIN, self.delay_seconds, epoch=1, reviewed=self.reviewed)
        return LiveSession(
            self.settings,
            facts,
            hooks,
            clock=lambda: self.seconds,
            wall=self.wall,
            threads=self.threads,
            resumption=resumption,
            cut=cut,
        )

    def wall(self) -> datetime:
        return ORIGIN + timedelta(seconds=self.seconds + self.stepped)

    def take(self) -> Take:
        self.takes += 1
        publish = Publish(Protocol.rtmp, "OBS", "127.0.0.1", lambda code, text: self.closed.append(code))
        about = self.session.about_take(uuid4(), self.takes)
        return self.session.begin_take(publish, TakeSpool.create(self.settings.spool_folder, about))

    def feed(self, take: Take, packets: list[Packet]) -> None:
        """Packets in real time: the clocks go with their decode times."""
        began = self.seconds
        first = packets[0].dts / packets[0].track.timescale
        for packet in packets:
            self.seconds = began + packet.dts / packet.track.timescale - first
            take.packet(packet)

    def playlist(self) -> str:
        return self.session.playlists["main"].text().decode()

    def reel_media(self, *, evidence: bool = False) -> list[bytes]:
        """The media of each reel, read from the spool."""
        self.threads.submit(lambda: None).result()
        return [
            b"".join(
                (job.spool.folder / one.source.name).read_bytes()[one.source.offset :][: one.source.length]
                for one in job.plan.segments
            )
            for job in self.reels
            if job.plan.evidence == evidence
        ]

    def of_class(self) -> list[WindowSegment]:
        """What was released: all but the holding picture."""
        return [segment for segment in self.session.window.segments if not segment.holding]

    def seen_seconds(self) -> float:
        return sum(segment.duration for segment in self.of_class()) / CLOCK

    def seen(self) -> bytes:
        """The media of every segment of the class that was released, read from where it lies."""
        out = b""
        for segment in self.of_class():
            if segment.in_memory:
                out += b"".join(part.muxed or b"" for part in segment.parts)
            elif isinstance(segment.source, SpoolSource):
                data = segment.source.path.read_bytes()
                out += data[segment.source.offset :][: segment.source.length]
        return out


def lecture(seconds: float, key_every: float = 1.0) -> list[Packet]:
    return interleaved(video(seconds, key_every=key_every), audio(seconds))
