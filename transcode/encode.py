"""Encodes one reel: fetched and checked, decoded once into every rendition and its stills, stored, verified, recorded.

All results and the work's end are written in one transaction, so that a job which was killed leaves nothing half done
and runs again to the same bytes.
"""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import av

from domain.refusals import Refusal, RefusalCode
from storage.catalogue import ladder, recordings, reels, stills, work
from storage.catalogue.ladder import NewRenditionReel
from storage.catalogue.reels import Placed
from storage.catalogue.tables.ladder_plan import LadderPlan
from storage.catalogue.tables.still import StillKind
from storage.catalogue.transaction import Transaction
from storage.objects import keys
from storage.objects.faults import ObjectCorrupt
from storage.workshop import Place
from transcode import ffmpeg
from transcode.completion import tell_if_complete
from transcode.ladder import Rung, rungs
from transcode.rendition import RenditionReel, SourceReel, keyframes_seconds, mux
from transcode.settings import TranscodeSettings


@dataclass(frozen=True)
class Picture:
    """A still that lies in the store: its time in the recording and what it is."""

    at_ms: int
    key: str
    width: int
    height: int
    size: int


async def encode(here: Place, reel_id: UUID, plan_id: UUID, subject: str) -> str:
    """Encode the reel under the plan; what ffmpeg said. Refusal("not_found") where the reel is gone (purged)."""
    async with here.catalogue.transaction() as tx:
        placed, plan = await reels.get(tx, reel_id), await ladder.plan(tx, plan_id)
        if placed is None or plan is None:
            raise Refusal(RefusalCode.not_found, kind="reel", id=reel_id)
        starts_ms = await _starts_ms(tx, placed)
    settings = here.settings(TranscodeSettings)
    settings.work_folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{reel_id}-", dir=settings.work_folder))
    try:
        source = await asyncio.to_thread(_fetch, here, placed)
        chosen = _rungs(plan, placed)
        said = await _run(here, source, chosen, folder) if chosen else "no picture: nothing to encode"
        made = await asyncio.to_thread(_store_renditions, here, source, placed, plan, chosen, folder)
        pictures = await asyncio.to_thread(_store_stills, here, placed, starts_ms, folder)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    async with here.catalogue.transaction() as tx:
        await recordings.lock(tx, placed.reel.recording_id)
        for one in made:
            await ladder.store(tx, one)
        await _record_stills(tx, placed, pictures)
        await work.finish(tx, subject, here.clock(), said)
        await tell_if_complete(tx, placed.reel.recording_id)
    return said


async def _starts_ms(tx: Transaction, placed: Placed) -> int:
    """Where the reel begins on the recording's own time line: after all that plays before it."""
    before = await reels.of_recording(tx, placed.reel.recording_id)
    mine = (placed.take_number, placed.reel.first_msn)
    return sum(one.reel.duration_ms for one in before if (one.take_number, one.reel.first_msn) < mine)


def _fetch(here: Place, placed: Placed) -> SourceReel:
    init, media = here.objects.read(placed.init.object_key), here.objects.read(placed.reel.object_key)
    for key, content, sha256 in (
        (placed.init.object_key, init, placed.init.sha256),
        (placed.reel.object_key, media, placed.reel.sha256),
    ):
        if hashlib.sha256(content).digest() != sha256:
            raise ObjectCorrupt(key, "is not what was captured")
    return SourceReel(init, media, placed.reel.segments)


def _rungs(plan: LadderPlan, placed: Placed) -> list[Rung]:
    video = next((one for one in placed.init.tracks if one["kind"] == "video"), None)
    return rungs(plan.renditions, video["width"], video["height"]) if video else []


async def _run(here: Place, source: SourceReel, chosen: Sequence[Rung], folder: Path) -> str:
    file, settings = folder / "source.mp4", here.settings(TranscodeSettings)
    await asyncio.to_thread(lambda: file.write_bytes(source.init + source.media))
    segments = await asyncio.to_thread(source.segment_packets)
    command = ffmpeg.ReelCommand(
        source=file,
        folder=folder,
        rungs=chosen,
        keyframes_seconds=keyframes_seconds(segments),
        still_seconds=settings.still_interval_seconds,
        threads=settings.ffmpeg_threads,
        preset=settings.preset,
    )
    return await ffmpeg.run(command.arguments(), timeout_seconds=settings.job_timeout_seconds)


def _store_renditions(
    here: Place, source: SourceReel, placed: Placed, plan: LadderPlan, chosen: Sequence[Rung], folder: Path
) -> list[NewRenditionReel]:
    return [_store_rendition(here, mux(source, folder / f"{rung.name}.mp4"), placed, plan, rung) for rung in chosen]


def _store_rendition(
    here: Place, made: RenditionReel, placed: Placed, plan: LadderPlan, rung: Rung
) -> NewRenditionReel:
    reel, init_sha256 = placed.reel, hashlib.sha256(made.init).digest()
    # Named by its content: every reel of a stretch writes the same object.
    init_number = int.from_bytes(init_sha256[:4]) >> 1
    init_key = keys.rendition_init(reel.recording_id, rung.name, reel.take_id, plan.id, init_number)
    media_key = keys.rendition_reel(reel.recording_id, rung.name, reel.take_id, plan.id, reel.number)
    sha256 = hashlib.sha256(made.media).digest()
    here.objects.put_bytes(init_key, made.init)
    here.objects.put_bytes(media_key, made.media)
    here.objects.verify(init_key, init_sha256, len(made.init))
    here.objects.verify(media_key, sha256, len(made.media))
    return NewRenditionReel(
        reel_id=reel.id,
        recording_id=reel.recording_id,
        ladder_plan_id=plan.id,
        rendition=rung.name,
        init_key=init_key,
        object_key=media_key,
        bytes=len(made.media),
        sha256=sha256,
        duration_ms=reel.duration_ms,
        segments=made.segments,
        width=rung.width,
        height=rung.height,
        bit_rate=made.bit_rate,
    )


def _store_stills(here: Place, placed: Placed, starts_ms: int, folder: Path) -> list[Picture]:
    interval_ms = here.settings(TranscodeSettings).still_interval_seconds * 1000
    pictures = []
    for number, file in enumerate(sorted(folder.glob("still-*.jpg"))):
        at_ms = starts_ms + number * interval_ms
        with av.open(str(file)) as image:
            size = image.streams.video[0].codec_context
            width, height = size.width, size.height
        content = file.read_bytes()
        key = keys.still(placed.reel.recording_id, at_ms)
        here.objects.put_bytes(key, content)
        pictures.append(Picture(at_ms, key, width, height, len(content)))
    if pictures and placed.reel.number == 1:
        # The first still of a lecture is often black or a test card; the last of its first reel is under way.
        poster, best = keys.poster(placed.reel.recording_id), pictures[-1]
        here.objects.put_bytes(poster, here.objects.read(best.key))
        pictures.append(Picture(best.at_ms, poster, best.width, best.height, best.size))
    return pictures


async def _record_stills(tx: Transaction, placed: Placed, pictures: Sequence[Picture]) -> None:
    poster = keys.poster(placed.reel.recording_id)
    for one in pictures:
        kind = StillKind.poster if one.key == poster else StillKind.still
        await stills.put(
            tx, placed.reel.recording_id, kind, one.at_ms, one.key, width=one.width, height=one.height, size=one.size
        )
