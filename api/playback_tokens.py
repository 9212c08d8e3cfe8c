"""Playback tokens: who may play what, until when, from which sign-in; and the addresses that carry them."""

from datetime import timedelta
from uuid import UUID

from api.resources import Resources
from api.shapes import PlaybackShape
from domain.playback_token import PlaybackClaim, PlaybackKind, sign
from storage.catalogue.sign_ins import Known


def playback(resources: Resources, known: Known, kind: PlaybackKind, item_id: UUID) -> PlaybackShape:
    """An address that plays `item_id` for this sign-in alone; whether it may was decided before."""
    expires_at = resources.clock() + timedelta(seconds=resources.settings.playback_token_seconds)
    claim = PlaybackClaim(
        kind=kind, item_id=item_id, account_id=known.account.id, sign_in_id=known.sign_in.id, expires_at=expires_at
    )
    token = sign(resources.keys.playback, claim)
    live = kind == "live"
    origin = resources.settings.ingest_public_url if live else resources.settings.public_url
    return PlaybackShape(f"{origin}/{kind}/{item_id}/{token}/index.m3u8", expires_at, live)
