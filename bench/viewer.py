"""A viewer who begins a replay, and how long it takes until the first segment is there."""

import time
from dataclasses import dataclass
from urllib.parse import urljoin
from uuid import UUID

import httpx

from lectern.complaint import Complaint
from lectern.demo_client import Person
from media.playlist import parse_media


@dataclass(frozen=True)
class Beginning:
    """One start: seconds up to each answer, counted from the order to play."""

    playback: float
    multivariant: float
    media: float
    init: float
    segment: float
    segment_bytes: int
    segments: int


async def begin(person: Person, client: httpx.AsyncClient, recording_id: UUID) -> tuple[str, Beginning]:
    """POST playback, the multivariant playlist, a media playlist, its init, its first segment; the address too."""
    times: list[float] = []
    started = time.perf_counter()

    def lap() -> None:
        times.append(round(time.perf_counter() - started, 4))

    async def get(url: str) -> bytes:
        answer = await client.get(url)
        if not answer.is_success:
            raise Complaint(f"GET …/{url.rpartition('/')[2]} was answered {answer.status_code}")
        lap()
        return answer.content

    index = (await person.post(f"/recordings/{recording_id}/playback"))["url"]
    lap()
    listed = [line for line in (await get(index)).decode().splitlines() if line and not line.startswith("#")]
    address = urljoin(index, listed[0])
    playlist = parse_media((await get(address)).decode())
    first = playlist.segments[0]
    await get(urljoin(address, first.map_uri or ""))
    segment = await get(urljoin(address, first.uri))
    names = ("playback", "multivariant", "media", "init", "segment")
    laps = dict(zip(names, times, strict=True))
    return address, Beginning(**laps, segment_bytes=len(segment), segments=len(playlist.segments))
