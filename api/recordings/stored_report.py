"""The report of a recording as it lies beside it, for those who need to know what became of its media."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec

from api.permit import require_for
from api.recordings.actions import is_own, readable, scope_of
from api.resources import Resources
from domain.permissions import Action
from domain.refusals import Refusal, RefusalCode
from storage.catalogue.sign_ins import Known
from storage.catalogue.transaction import Transaction
from storage.objects import keys
from storage.objects.faults import ObjectMissing


async def require_reportable(tx: Transaction, known: Known, recording_id: UUID) -> None:
    """For whoever may edit the recording, as its work is. Refusals: not_found, not_permitted."""
    recording = await readable(tx, known, recording_id)
    require_for(known, Action.recording_edit, scope_of(recording), own=is_own(known, recording))


async def stored_report(resources: Resources, recording_id: UUID) -> dict[str, Any]:
    """Refusal("not_found") until the recording is whole, and after its purge."""
    try:
        content = await asyncio.to_thread(resources.objects.read, keys.report(recording_id))
    except ObjectMissing as missing:
        raise Refusal(RefusalCode.not_found, kind="report", id=recording_id) from missing
    return msgspec.json.decode(content, type=dict[str, Any])
