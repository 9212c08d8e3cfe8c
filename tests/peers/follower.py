"""A reader that follows a live class as RFC 8216bis has it, by blocking reloads and hints, and keeps what it saw."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx

from tests.kit.hls import rules
from tests.kit.hls.lines import Media, read_media


@dataclass
class Follower:
    """One rendition's playlist; `faults` is what is wrong with its versions and what they name."""

    client: httpx.AsyncClient
    url: str
    before: str = ""
    bodies: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    versions: int = 0
    deltas: int = 0

    async def get(self, name: str, query: str = "") -> httpx.Response:
        return await self.client.get(urljoin(self.url, name) + query)

    async def follow(self, seconds: float) -> None:
        """Every version that comes within that time, the hinted part asked for beside it."""
        give_up = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < give_up:
            await self.step()

    async def step(self) -> None:
        """The next version."""
        if not self.before:
            self.saw((await self.get("")).text)
            return
        media = read_media(self.before)
        query = _next(media)
        hint = media.hints[0]["URI"] if media.hints else "part-of-nothing"  # none while it is held
        asked = [self.get("", query), self.get("", f"{query}&_HLS_skip=YES"), self.get(hint)]
        whole, delta, part = await asyncio.gather(*asked)
        if whole.status_code != 200:
            self.faults.append(f"6.2.5.2: {query} was answered {whole.status_code}")
            return
        self.saw(whole.text, unpublished=part.status_code == 404)
        if part.status_code == 200:
            self.bodies[hint] = part.content
        if read_media(delta.text).parts == read_media(whole.text).parts:
            self.deltas += 1
            self.faults += rules.of_delta(delta.text, whole.text)

    def saw(self, text: str, *, unpublished: bool = False) -> None:
        self.versions += 1
        self.faults += rules.of_media(text)
        if self.before:
            self.faults += rules.of_change(self.before, text, unpublished=unpublished)
        self.before = text

    async def fetch_all(self) -> None:
        """Everything that the newest version lists: what was read before must be the same, and parts be segments."""
        media = read_media(self.before)
        for one in media.segments:
            names = [part.uri for part in one.parts if not part.gap] + ([] if one.gap else [one.uri])
            for name in [*names, *([one.map_uri] if one.map_uri else [])]:
                await self._fetch(name)
            if one.parts and not one.gap:
                joined = b"".join(self.bodies[part.uri] for part in one.parts if not part.gap)
                if joined != self.bodies[one.uri]:
                    self.faults.append(f"3.2: the parts of {one.uri} are not the segment")
        for name in list(self.bodies):
            await self._fetch(name)

    async def _fetch(self, name: str) -> None:
        answer = await self.get(name)
        if answer.status_code != 200:
            self.faults.append(f"6.2.1: {name} is answered {answer.status_code}")
        elif self.bodies.setdefault(name, answer.content) != answer.content:
            self.faults.append(f"{name} has changed")
        elif "immutable" not in answer.headers["cache-control"]:
            self.faults.append(f"{name} may be kept no longer than {answer.headers['cache-control']}")


def _next(media: Media) -> str:
    """Asks for the part behind the last one; behind the last segment, when none is open."""
    if media.open:
        return f"?_HLS_msn={media.open.msn}&_HLS_part={len(media.open.parts)}"
    return f"?_HLS_msn={media.segments[-1].msn + 1}&_HLS_part=0"


async def refused(one: Follower) -> list[str]:
    """Requests that the RFC wants refused at once (§6.2.5.2), and were not."""
    media = read_media(one.before)
    msn, parts = (media.open.msn, len(media.open.parts)) if media.open else (media.segments[-1].msn + 1, 0)
    wrong = [
        "_HLS_part=0",
        f"_HLS_msn={msn + 3}",
        f"_HLS_msn={msn}&_HLS_part={parts + 20}",
        "_HLS_msn=-1",
        "_HLS_msn=x",
    ]
    answers = [(query, (await one.get("", f"?{query}")).status_code) for query in wrong]
    return [f"6.2.5.2: {query} is answered {status}" for query, status in answers if status != 400]
