"""Playback tokens: who may play what, until when, from which sign-in; and the addresses that carry them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Request

from api.own_origins import page_origin
from api.resources import Resources
from api.shapes import PlaybackShape
from domain.playback_token import PlaybackClaim, PlaybackKind, sign
from storage.catalogue.sign_ins import Known

DOORS: dict[PlaybackKind, str] = {
    "live": "live",
    "monitor": "live",
    "preview": "preview",
    "replay": "replay",
    "evidence": "replay",
}
"""At which address each kind is asked for; what it opens there, the kind says."""


def playback(
    request: Request[Any, Any, Any], resources: Resources, known: Known, kind: PlaybackKind, item_id: UUID
) -> PlaybackShape:  # fmt: skip
    """An address that plays `item_id` for this sign-in alone; whether it may was decided before."""
    now, settings = resources.clock(), resources.settings
    expires_at = now + timedelta(seconds=settings.playback_token_seconds)
    claim = PlaybackClaim(kind, item_id, known.account.id, known.sign_in.id, expires_at, now)
    token = sign(resources.keys.playback, claim)
    door = DOORS[kind]
    live = door != "replay"
    origin = settings.ingest_public_url if live else page_origin(request, settings.public_url)
    return PlaybackShape(f"{origin}/{door}/{item_id}/{token}/index.m3u8", expires_at, live)
