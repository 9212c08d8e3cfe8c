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


def playback(
    request: Request[Any, Any, Any], resources: Resources, known: Known, kind: PlaybackKind, item_id: UUID
) -> PlaybackShape:  # fmt: skip
    """An address that plays `item_id` for this sign-in alone; whether it may was decided before."""
    expires_at = resources.clock() + timedelta(seconds=resources.settings.playback_token_seconds)
    claim = PlaybackClaim(
        kind=kind, item_id=item_id, account_id=known.account.id, sign_in_id=known.sign_in.id, expires_at=expires_at
    )
    token = sign(resources.keys.playback, claim)
    live = kind in ("live", "preview")
    settings = resources.settings
    origin = settings.ingest_public_url if live else page_origin(request, settings.public_url)
    door = "live" if live else "replay"  # what it opens there, its kind says
    return PlaybackShape(f"{origin}/{door}/{item_id}/{token}/index.m3u8", expires_at, live)
