"""A cut, and what leaves by nodes that only pass the class on: a plain one, and one behind nginx. From the moment the
owner has accepted it, nothing that was not let out before; and after the resume nothing of what was cut.

The class is a real encoder's; what each answer holds is read frame by frame. The owner's own doors, at chosen frames:
`tests/ingest/test_cut_doors.py`.
"""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from domain.control import sign
from domain.states import SessionMove
from ingest.events import CLOCK
from ingest.hls.names import NAME
from ingest.hls.window import LiveWindow, WindowSegment
from ingest.holding import silence
from ingest.holding.loop import OURS
from media.fragments import packets as read_packets
from storage.catalogue import sessions
from tests.ingest.classroom import KEYS, Lesson, encoder, lesson, now, order
from tests.ingest.nodes.fronted import Edge, behind_nginx
from tests.ingest.nodes.house import Node, node
from tests.ingest.wired import Stores, until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

CLIP = OURS.read_bytes()
BEYOND = 2
"""Segments asked for past the owner's newest."""
Frame = tuple[str, int]
"""Its kind, and its decode time on the session's line."""
Door = Callable[[str], Coroutine[None, None, httpx.Response]]
"""Asks there for a name, as a viewer."""


def frames_of(init: bytes, media: bytes) -> set[Frame]:
    return {(packet.track.kind, packet.dts) for packet in read_packets(init, media)}


@dataclass
class Show:
    """A class at its owner, and the doors that pass it on."""

    stores: Stores
    told: Lesson
    owner: Node
    plain: Node
    fronted: Edge
    process: asyncio.subprocess.Process
    doors: dict[str, Door]

    @property
    def window(self) -> LiveWindow:
        return self.owner.session(self.told).window

    def of_class(self) -> Iterable[WindowSegment]:
        return (segment for segment in self.window.segments if not segment.holding)

    def released(self) -> set[Frame]:
        """What the owner has let out until this instant."""
        frames: set[Frame] = set()
        for segment in self.of_class():
            init = self.window.inits[segment.init_number].muxed
            frames |= frames_of(init, b"".join(part.muxed or b"" for part in segment.parts))
        return frames

    def ahead(self) -> set[Frame]:
        """What its reviewer has seen."""
        preview = self.owner.session(self.told).preview
        assert preview is not None
        frames: set[Frame] = set()
        for segment in preview.window.segments:
            init = preview.window.inits[segment.init_number].muxed
            frames |= frames_of(init, b"".join(part.muxed or b"" for part in segment.parts))
        return frames

    def names(self) -> set[str]:
        """Of all of the class that the owner has let out until this instant."""
        found = set()
        for segment in self.of_class():
            for prefix in ("", "audio-"):
                found |= {f"{prefix}part-{segment.msn}.{index}.m4s" for index in range(len(segment.parts))}
                found |= {f"{prefix}seg-{segment.msn}.m4s"} if segment.closed else set()
        return found

    def is_held(self, name: str) -> bool:
        """Whether a number is the holding picture's."""
        match = NAME.fullmatch(name)
        assert match, name
        segment = self.window.find(int(match["number"] or match["msn"]))
        return segment is not None and segment.holding

    async def cut(self) -> None:
        """By the owner's signed answer; nobody else is told."""
        async with self.stores.catalogue.transaction() as tx:
            row = await sessions.lock(tx, self.told.session_id)
            await sessions.move(tx, row, SessionMove.cut, now(), "误入")
            number = row.version
        path = f"/control/sessions/{self.told.session_id}/cut"
        body = json.dumps({"number": number, "reason": "误入"}).encode()
        header = {"lectern-control": sign(KEYS.control, "POST", path, body, now())}
        answer = await self.owner.viewer.post(self.owner.address + path, content=body, headers=header)
        assert answer.status_code == 204

    def frames_in(self, name: str, media: bytes) -> set[Frame]:
        """Those of the class in an answer; one of the holding picture's number has that alone."""
        match = NAME.fullmatch(name)
        assert match
        segment = self.window.find(int(match["number"] or match["msn"]))
        assert segment is not None, name
        init = self.window.inits[segment.init_number]
        head = init.audio if match["audio"] else init.muxed
        assert head is not None
        if not segment.holding:
            return frames_of(head, media)
        sound = next(track for track in self.window.inits[1].tracks if track.kind == "audio")
        holding = [*read_packets(CLIP, CLIP), *silence.laid(silence.like(sound), 0, CLOCK)]
        assert {bytes(one.data) for one in read_packets(head, media)} <= {bytes(one.data) for one in holding}
        return set()

    async def had(self, door: str) -> set[Frame]:
        """Every frame of the class that any address of this door gives, whether a playlist names it or not."""
        newest = self.window.next_msn + BEYOND
        names = [f"{prefix}seg-{msn}.m4s" for prefix in ("", "audio-") for msn in range(newest)]
        names += [
            f"{prefix}part-{msn}.{index}.m4s"
            for prefix in ("", "audio-")
            for msn in range(max(0, newest - 6), newest)
            for index in range(5)
        ]
        found: set[Frame] = set()
        for name, answer in zip(names, await asyncio.gather(*map(self.doors[door], names)), strict=True):
            assert answer.status_code in (200, 404), (door, name, answer.status_code)
            if answer.status_code == 200:
                found |= self.frames_in(name, answer.content)
        return found


@asynccontextmanager
async def shown(stores: Stores, folder: Path, delay_seconds: int) -> AsyncIterator[Show]:
    told = await lesson(stores.catalogue, delay_seconds=delay_seconds)
    token = told.token()
    async with (
        behind_nginx(stores, folder, segments_in_memory=100) as fronted,
        node(stores, "c") as plain,
        encoder(fronted.owner.service, told.key, speed=1.5 if delay_seconds else 3.0) as process,
    ):
        await fronted.owner.shows(told, 3)
        doors: dict[str, Door] = {
            "plain": lambda name: plain.get(told, name, token),
            "nginx": lambda name: fronted.get(told, name, token),
        }
        yield Show(stores, told, fronted.owner, plain, fronted, process, doors)


async def previews(show: Show, token: str) -> set[int]:
    """What each door says to a viewer who asks for what the reviewer sees."""
    preview = show.owner.session(show.told).preview
    names = ["index.m3u8", "main.m3u8", "audio.m3u8", "init-1.mp4"]
    names += [f"seg-{one.msn}.m4s" for one in preview.window.segments] if preview else []
    paths = [f"/preview/{show.told.session_id}/{token}/{name}" for name in names]
    edges = [show.plain.address, show.fronted.edge.address]
    asked = [show.plain.viewer.get(edge + path) for edge in edges for path in paths]
    asked += [show.fronted.viewer.get(path) for path in paths]
    return {answer.status_code for answer in await asyncio.gather(*asked)}


@pytest.mark.parametrize("delay_seconds", [0, 5])
async def test_nothing_leaves_by_another_node_that_its_owner_had_not_let_out(
    stores: Stores, tmp_path: Path, delay_seconds: int
) -> None:
    async with shown(stores, tmp_path, delay_seconds) as show:
        for door in show.doors:
            assert await show.had(door), "kept there, before the cut"
        if not delay_seconds:
            show.process.send_signal(signal.SIGSTOP)
            await still(show)
        msn, part = show.window.next_part
        parts = [f"{prefix}part-{msn}.{part}.m4s" for prefix in ("", "audio-")]
        playlists = [f"{one}.m3u8?_HLS_msn={msn}&_HLS_part={part}" for one in ("main", "audio")]
        playlists += [f"main.m3u8?_HLS_msn={msn}"]
        waiting = {
            (door, name): asyncio.create_task(get(name))
            for door, get in show.doors.items()
            for name in parts + playlists
        }
        await asyncio.wait(waiting.values(), timeout=0.3)
        if not delay_seconds:
            assert not any(task.done() for task in waiting.values())
        await show.cut()
        released, names = show.released(), show.names()
        show.process.send_signal(signal.SIGCONT)
        for (door, name), task in waiting.items():
            answer = await task
            if name in playlists:
                check_named(show, answer.text, names)
            elif answer.status_code == 200 and delay_seconds:
                assert show.frames_in(name, answer.content) <= released, (door, name)
            else:
                assert answer.status_code == 404, (door, name)
        for _ in range(3):
            for door, get in show.doors.items():
                assert await show.had(door) <= released, door
                for name in ("main.m3u8", "audio.m3u8", "main.m3u8?_HLS_skip=YES"):
                    check_named(show, (await get(name)).text, names)
            assert await previews(show, show.told.token()) == {403}
            await asyncio.sleep(0.5)
        assert all([await show.had(door) == released for door in show.doors]), "and all of that is there yet"
        cut = show.ahead() - released
        assert len(cut) > 60
        await order(stores.catalogue, show.told.session_id, "resume")

        async def goes_on() -> bool:
            return bool(show.released() - released) and show.window.segments[-2].closed

        await until(goes_on, 20)
        for door in show.doors:
            after = await show.had(door)
            assert after > released, "the class goes on"
            assert not after & cut, "what was cut never comes"


def check_named(show: Show, playlist: str, names: set[str]) -> None:
    """A playlist names what was let out, and the holding picture."""
    listed = "\n".join(line for line in playlist.splitlines() if "HINT" not in line)
    found = set(re.findall(r"(?:audio-)?(?:seg|part)-[0-9.]+m4s", listed))
    assert found
    assert {name for name in found - names if not show.is_held(name)} == set()


async def still(show: Show) -> None:
    """Until nothing more comes of what the encoder had sent."""
    before = None
    while before != (before := show.window.version):  # noqa: ASYNC110 - what is waited for is that nothing happens
        await asyncio.sleep(0.4)
