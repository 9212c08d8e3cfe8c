"""/replay/{recording}/{token}/…: a recording's playlists and segments for whoever has a token of it.

The token stands in the path, so that players need no cookies; each answer asks again whether it counts.
"""

import asyncio
from typing import Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from api import permit
from api.object_bytes import IMMUTABLE, send_object
from api.replay import pieces, playlists, sound
from api.replay.index import SOURCE, ReplayIndex
from api.replay.viewing import Viewing
from api.resources import Resources
from domain.refusals import Refusal, RefusalCode

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
OPT = permit.token("the playback token in the path is checked for this recording")


def replay_routes(resources: Resources, viewing: Viewing) -> list[HTTPRouteHandler]:
    """The routes of one process, with its memory of what it found lately."""

    @get("/replay/{recording_id:uuid}/{token:str}/{name:str}", opt=OPT, include_in_schema=False)
    async def playlist(recording_id: UUID, token: str, name: str) -> Response[str]:
        """`index.m3u8`, the multivariant playlist, or `{rendition}.m3u8`."""
        index = await viewing.index(recording_id, token)
        rendition, dot, kind = name.rpartition(".")
        known = rendition in ("index", *index.renditions) or (rendition == sound.NAME and sound.offered(index))
        if not dot or kind != "m3u8" or not known:
            raise Refusal(RefusalCode.not_found, kind="playlist", id=name)
        text = await _master(viewing, index) if rendition == "index" else playlists.media(index, rendition)
        caching = "private, max-age=5" if index.whole else "no-store"
        return Response(text, media_type=PLAYLIST_TYPE, headers={"Cache-Control": caching})

    @get("/replay/{recording_id:uuid}/{token:str}/{rendition:str}/{name:str}", opt=OPT, include_in_schema=False)
    async def media(
        request: Request[Any, Any, Any], recording_id: UUID, token: str, rendition: str, name: str
    ) -> Response[bytes]:
        """`init-{reel}.mp4` or `{reel}-{segment}.m4s` of a rendition, or of the sound alone."""
        index = await viewing.index(recording_id, token)
        if rendition == sound.NAME and (heard := await sound.read(viewing, index, name)) is not None:
            return Response(heard, media_type=sound.MEDIA_TYPE, headers=IMMUTABLE)
        piece = pieces.find(index, rendition, name)
        if piece is None:
            raise Refusal(RefusalCode.not_found, kind="segment", id=name)
        return await send_object(request, resources, piece.key, pieces.MEDIA_TYPE, piece.stretch)

    return [playlist, media]


async def _master(viewing: Viewing, index: ReplayIndex) -> str:
    named = [*index.listed, SOURCE] if sound.offered(index) else index.listed
    inits = {key for name in named for key in index.inits(name)}
    codecs = {key: await asyncio.to_thread(viewing.codecs_of, key) for key in sorted(inits)}
    return playlists.master(index, codecs)
