"""Writes a recording's report into its prefix, as often as there is something new to say.

Under the recording's lock: of two writers the later one has read everything that the earlier one had, and none writes
into a prefix that is being purged.
"""

import asyncio
import json
from uuid import UUID

from domain.states import RecordingState
from retention.report import report
from storage.catalogue import recordings
from storage.catalogue.transaction import Catalogue
from storage.objects import keys
from storage.objects.store import ObjectStore

REPORTED = frozenset({RecordingState.stored, RecordingState.marked, RecordingState.promoted})


async def write_report(catalogue: Catalogue, objects: ObjectStore, recording_id: UUID) -> bool:
    """False where there is none to be: not yet, or no longer. Refusal("not_found"), ObjectStoreFault."""
    async with catalogue.transaction() as tx:
        recording = await recordings.lock(tx, recording_id)
        if recording.state not in REPORTED:
            return False
        content = json.dumps(await report(tx, recording), ensure_ascii=False, indent=1).encode()
        await asyncio.to_thread(objects.put_bytes, keys.report(recording_id), content)
    return True
