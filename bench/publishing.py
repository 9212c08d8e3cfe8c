"""One encoder into one session of a node of this run, and what there is of it by then."""

from pathlib import Path

import httpx

from bench import lessons
from bench.encoders import Encoders
from bench.house import House, metric
from bench.processes import Program, until
from lectern.settings import Settings
from media.playlist import parse_media
from storage.embedded.ports import LOOPBACK

STARTING_SECONDS = 60.0


async def publish(
    home: House, settings: Settings, lesson: lessons.Lesson, source: Path, name: str, speed: float
) -> Encoders:
    """Begins to send the clip, so many times as quick as it is."""
    target = f"rtmp://{LOOPBACK}:{settings.ingest.rtmp_port}/live/{lesson.key}"
    return await Encoders.publish(source, [target], home.folder / name, speed=speed)


async def publishing(own: Program, settings: Settings) -> None:
    """Waits until the node takes it in."""

    async def is_so() -> bool:
        return await metric(settings, "publishers") == 1

    await until(is_so, STARTING_SECONDS, "starting the stream", [own])


async def finished(client: httpx.AsyncClient, base: str) -> list[str]:
    """Names of the segments that a session's playlist has; none before it begins."""
    answer = await client.get(f"{base}/main.m3u8")
    return [one.uri for one in parse_media(answer.text).segments] if answer.is_success else []
