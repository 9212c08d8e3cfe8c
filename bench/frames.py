"""How many frames of pictures a take left: in its spool's files, or in the objects of its reels. Read, not believed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from ingest.reel_plan import TakeAbout
from ingest.spool import ABOUT
from ingest.spool_recovery import take_folders
from media.fragments import packets
from storage.catalogue import recordings, reels, takes
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore


def in_spool(root: Path) -> Mapping[UUID, int]:
    """Frames by session, of every take under an ingest's spool folder."""
    found: dict[UUID, int] = {}
    for folder in take_folders(root):
        about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=TakeAbout)
        (init,) = folder.glob("init-*.mp4")
        media = b"".join(path.read_bytes() for path in sorted(folder.glob("*.m4s")))
        found[about.session_id] = found.get(about.session_id, 0) + _pictures(init.read_bytes(), media)
    return found


async def in_reels(catalogue: Catalogue, store: ObjectStore, session_id: UUID) -> tuple[int, int]:
    """Frames in the stored reels of a session's recording, read back from the store, and how many reels there are."""
    async with catalogue.transaction() as tx:
        recording = await recordings.of_session(tx, session_id)
        placed = await reels.of_recording(tx, recording.id) if recording else []
    counted = [_pictures(store.read(one.init.object_key), store.read(one.reel.object_key)) for one in placed]
    return sum(counted), len(counted)


async def told(catalogue: Catalogue, session_id: UUID) -> list[dict[str, Any]]:
    """What a session's takes say of themselves: how each ended, and what became of the frames that came."""
    async with catalogue.transaction() as tx:
        rows = await takes.of_session(tx, session_id)
    return [{"take": one.number, "end_reason": one.end_reason, "findings": one.findings} for one in rows]


def _pictures(init: bytes, media: bytes) -> int:
    return sum(packet.track.kind == "video" for packet in packets(init, media))
