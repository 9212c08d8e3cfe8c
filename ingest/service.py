"""The ingest process put together: its listeners, its clocks, and how it stops.

Before it stops it drains: no new publishes, encoders are told, open segments close, reels go up while there is time;
what does not is in the spool, and the next start goes on with it.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from domain.disk_state import DiskState
from ingest import orders, recovery
from ingest.audience import Audience
from ingest.collector import LOOK_SECONDS as COLLECTOR_SECONDS
from ingest.collector import Collector
from ingest.control import Control
from ingest.hls.by_nginx import PREFIX as BY_NGINX_PREFIX
from ingest.hls.preview_door import PREFIX as PREVIEW_PREFIX
from ingest.hls.server import Delivery
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.http import Dispatch, HttpServer, Mounted
from ingest.known_keys import READ_SECONDS
from ingest.listening import LONGEST_TOKEN, Listening
from ingest.lives import Lives
from ingest.metrics import Metrics
from ingest.nodes.moves import PREFIX as NODE_PREFIX
from ingest.nodes.neighbours import LOOK_SECONDS, Neighbours
from ingest.nodes.telling import Telling
from ingest.publishing import Publishing
from ingest.reopening import reopen
from ingest.rtmp.certificate import Certificate
from ingest.rtmp.commands import FAILED
from ingest.rtmp.limits import BitRateLimits
from ingest.rtmp.server import RtmpServer
from ingest.rtmp.settings import RtmpSettings
from ingest.settings import IngestSettings
from ingest.spool_recovery import RecoveredTake
from ingest.spool_state import spool_state
from ingest.statistics import Statistics
from ingest.tasks import Tasks
from ingest.whip.endpoint import PREFIX as WHIP_PREFIX
from ingest.whip.endpoint import WhipEndpoint
from ingest.whip.settings import WhipSettings
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.transaction import Catalogue
from storage.live_state import connect_live
from storage.node_state import TELL_SECONDS
from storage.objects.store import ObjectStore

log = structlog.get_logger()

DRAIN_SECONDS = 4.0
"""With what else waits for encoders, viewers and the catalogue, a process ends within ten, whatever is away."""
TICK_SECONDS = 0.1
"""How finely held media is let out, and how often the loop's lag is measured."""
SWITCH_SECONDS = 0.0005
WATCH_SECONDS = 0.5
"""How often the rows of reviewed sessions are read: a gate freezes when none was for four times as long."""
COMPLETE_SECONDS = 10.0
"""How often the rows are asked for what orders may have missed."""


@dataclass(frozen=True, slots=True)
class IngestKeys:
    """Secrets that every process shares: they sign playback tokens and orders."""

    playback: bytes
    control: bytes


DISK_WORDS = {
    DiskState.low: "is nearly full, and nothing on it can be freed",
    DiskState.full: "is full: recording pauses",
    DiskState.failing: "fails: what it took may be lost in a crash, and recording pauses where it takes no more",
}


class IngestService:
    """Runs from `start` to `drain` and `stop`; `wall` is the clock of the rows and tokens."""

    def __init__(
        self,
        settings: IngestSettings,
        keys: IngestKeys,
        catalogue: Catalogue,
        store: ObjectStore,
        valkey_url: str,
        *,
        wall: Callable[[], datetime],
    ) -> None:
        """Raises CertificateFault, HoldingFault."""
        loop = asyncio.get_running_loop()
        self.settings = settings
        self.metrics = Metrics()
        self.lives = Lives(settings, catalogue, store, clock=loop.time, wall=wall)
        self.viewers = Viewers(keys.playback, wall=wall, clock=loop.time, nodes_secret=keys.control)
        self.publishing = Publishing(catalogue, self.lives, wall=wall)
        self.control = Control(keys.control, self.lives, wall=wall)
        self.whip = WhipEndpoint(_whip_settings(settings), self.publishing)
        self.rtmp = RtmpServer(_rtmp_settings(settings), self.publishing, _certificate(settings))
        self._catalogue = catalogue
        self._wall = wall
        self._reader = SegmentReader(store)
        self._valkey = connect_live(valkey_url)
        self.neighbours = Neighbours(
            keys.control, self.lives, self.viewers, self._reader, catalogue, store, self._valkey, wall=wall
        )
        self.publishing.silent_elsewhere = self.neighbours.silent_seconds
        self.publishing.newer_owner = self.neighbours.has_newer_owner
        self._statistics = Statistics(self.lives, self.viewers, self.metrics, self._valkey, wall=wall)
        self.publishing.refused = self._statistics.refused
        self._audience = Audience(self.lives, self.viewers, self._valkey, wall=wall)
        self._listening = Listening(
            settings,
            catalogue,
            self.lives,
            self.control,
            self.viewers,
            valkey_url=valkey_url,
            wall=wall,
            caught_up=self._complete,
        )
        self._telling = Telling(self.lives, self.publishing, self.viewers, self.neighbours, self._valkey, wall=wall)
        self.tasks = Tasks()
        self.http: HttpServer | None = None

    async def start(self, mounted: dict[str, Mounted] | None = None) -> None:
        """Opens the listeners; `mounted` are further HTTP paths. Raises OSError when a port is
        taken.
        """
        found = await asyncio.to_thread(recovery.read_spools, self.lives)
        near = self.neighbours
        delivery = Delivery(self.lives.find, self.viewers, self._reader, near.elsewhere, near.by_nginx)
        doors: dict[str, Mounted] = {
            NODE_PREFIX: near.door,
            BY_NGINX_PREFIX: near.segment_door(delivery),
            PREVIEW_PREFIX: near.preview_door().mounted,
            **(mounted or {}),
        }
        if not self.settings.edge:
            doors[WHIP_PREFIX] = near.whip_door(self.whip)
        app = Dispatch(delivery, self.control, self.metrics, self.troubles, doors)
        self.http = HttpServer(app, self.settings.http_host, self.settings.http_port, shared=self.settings.shared_ports)
        self.http.bind()
        if self.settings.own_http_port:
            self.http.bind_also(self.settings.own_http_port)
        if not self.settings.edge:
            await self.rtmp.start()
        self.lives.ledger.start()
        self.lives.uploader.start()
        run, every = self.tasks.run, self.tasks.every
        run("http", self.http.run())
        run("recovery", self._recover(found))
        run("listening", self._listening.run())
        run("echo", self._listening.hear_echo())
        run("tick", self._tick())
        every(WATCH_SECONDS, "watch", self._watch)
        every(1.0, "second", self._lives, self._near, self._statistics.tell, self._audience.second)
        every(LOOK_SECONDS, "neighbours", self.neighbours.look)
        every(READ_SECONDS, "keys", self.publishing.known.read)
        every(TELL_SECONDS, "telling", self._telling.tell)
        every(COMPLETE_SECONDS, "complete", self._reconcile)
        # Upload threads give the interpreter back to the loop after half a millisecond, not after five.
        sys.setswitchinterval(SWITCH_SECONDS)
        collector = Collector()
        collector.settle()
        every(COLLECTOR_SECONDS, "collector", collector.look)
        log.info("ingest_started", http_port=self.http.port, rtmp_port=self.rtmp.port)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Takes nothing more in and closes what is open; uploads have until `seconds` from now. What they did not
        bring to the store by then is given up, and found in the spool by the next start.
        """
        give_up = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(self.rtmp.stop(), self.whip.stop())
        for session in self.lives.sessions.values():
            if session.take:
                session.take.hang_up(FAILED, "The server is stopping, connect again in a moment.", "stopped")
            session.recording.flush()
        await self.lives.uploader.drain(max(1.0, give_up - asyncio.get_running_loop().time()))
        await self.lives.uploader.stop()

    async def stop(self) -> None:
        """What was drained ends. Nothing is asked of the object store any more: it may be closed."""
        self._audience.keep_peaks()
        await self.lives.ledger.drain(1.0)
        if self.http:
            self.http.stop()
            await self.tasks.until_done("http", 3.0)
        await self.tasks.end()
        self.lives.disk.forget(lambda _: False)  # or the next start would send it all again
        await self.lives.ledger.stop()
        self.lives.close()
        self._reader.close()
        await self._telling.leave()
        self.neighbours.close()
        await self._valkey.aclose()

    def troubles(self) -> list[str]:
        """What is wrong while live goes on."""
        troubles = []
        if self.lives.uploader.failing_since:
            troubles.append(f"uploads fail since {self.lives.uploader.failing_since.isoformat()}")
        if self.lives.disk.lost:
            troubles.append(f"the spool's disk is lost, recording pauses: {self.lives.disk.lost}")
        elif word := DISK_WORDS.get(spool_state(self.lives)):
            troubles.append(f"the spool's disk {word}")
        if strange := self.lives.disk.left_alone:
            why = ", ".join(sorted(set(strange)))
            troubles.append(f"{len(strange)} takes in the spool are left alone and not stored: {why}")
        now = self.lives.clock()
        if frozen := sum(1 for one in self.lives.sessions.values() if one.gate.is_frozen(now)):
            troubles.append(f"{frozen} reviewed sessions are held back: no cut could be heard")
        if self.neighbours.stand_ins:
            troubles.append(f"{self.neighbours.stand_ins} sessions are shown from the store: their nodes are silent")
        if not self.publishing.ready.is_set():
            troubles.append("waiting for the catalogue: nobody can publish yet")
        return troubles

    async def _recover(self, found: list[RecoveredTake]) -> None:
        wait = self.settings.retry_first_seconds
        while True:
            try:
                await recovery.finish(self._catalogue, self.lives, found, self._wall())
            except CatalogueUnavailable as error:
                log.warning("recovery_waits", seconds=wait, error=str(error))
            except Exception:
                log.exception("recovery_failed", seconds=wait)
            else:
                self.publishing.ready.set()
                await reopen(self._catalogue, self.lives)
                return
            await asyncio.sleep(wait)
            wait = min(2 * wait, self.settings.retry_longest_seconds)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self.metrics.lag.observe(max(0.0, loop.time() - due))
            self.lives.release_due()

    async def _lives(self) -> None:
        self.lives.tick()

    async def _near(self) -> None:
        await self.neighbours.second(revoked_seconds=LONGEST_TOKEN.total_seconds())
        self.metrics.viewers_of_others.set(self.neighbours.viewers)
        self.metrics.stand_ins.set(self.neighbours.stand_ins)

    async def _reconcile(self) -> None:
        await orders.reconcile(self._catalogue, self.lives)
        await self._complete()

    async def _watch(self) -> None:
        """The rows of reviewed sessions, read so often that a cut is heard, or its being unheard noticed, in time."""
        await orders.reconcile(self._catalogue, self.lives, orders.reviewed(self.lives))

    async def _complete(self) -> None:
        if self.publishing.ready.is_set():
            await recovery.complete_ended(self._catalogue, self.lives)


def _rtmp_settings(settings: IngestSettings) -> RtmpSettings:
    return RtmpSettings(
        hosts=settings.rtmp_hosts,
        port=settings.rtmp_port,
        shared=settings.shared_ports,
        tls_port=settings.rtmps_port,
        connections_per_address=settings.rtmp_connections_per_address,
        bit_rate=BitRateLimits(soft_megabits=settings.encoder_megabits),
        reconnect_url=settings.rtmp_reconnect_url,
    )


def _whip_settings(settings: IngestSettings) -> WhipSettings:
    return WhipSettings(
        hosts=settings.whip_hosts,
        announced_hosts=settings.whip_announced_hosts,
        port_first=settings.whip_port_first,
        port_last=settings.whip_port_last,
        bit_rate=BitRateLimits(soft_megabits=settings.encoder_megabits),
    )


def _certificate(settings: IngestSettings) -> Certificate | None:
    """Raises CertificateFault."""
    if settings.rtmps_certificate_file is None or settings.rtmps_key_file is None:
        return None
    return Certificate(settings.rtmps_certificate_file, settings.rtmps_key_file)
