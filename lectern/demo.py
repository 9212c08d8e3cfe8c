"""`make demo`: a house of its own, a seeded institute, the story, and then the house to look around in."""

import asyncio
import contextlib
import dataclasses
import shutil
import sys
from pathlib import Path

from lectern.clock import now
from lectern.complaint import Complaint
from lectern.data_folder import held
from lectern.demo_open_class import how_to_command, how_to_publish
from lectern.demo_screen import Screen, StepFailed
from lectern.demo_story import INSTRUCTOR, Story, Told
from lectern.seed import passwords_in, seed
from lectern.settings import Settings
from lectern.stopping import stop_signals
from lectern.up import house
from storage.catalogue.transaction import Catalogue

REEL_SECONDS = 10.0
STORY_FAILED = 1
# What `FRESH=1` removes: everything that a data folder of ours holds, and nothing else.
OURS = ("postgres", "valkey", "s3", "spool", "work", "logs", "master-secret", "demo-accounts.json",
        "demo-recordings.json", "running.json", "lock")  # fmt: skip


async def demo(settings: Settings, *, once: bool, fresh: bool, screen: Screen | None = None) -> int:
    """Run it; the exit code: 0, or 1 when a step of the story failed."""
    screen = screen or Screen()
    folder = settings.lectern.data_folder.resolve()
    if fresh:
        with held(folder):
            clear(folder)
    settings = dataclasses.replace(settings, ingest=dataclasses.replace(settings.ingest, reel_seconds=REEL_SECONDS))
    with stop_signals() as asked:
        async with house(settings, folder / "logs") as running:
            passwords = await asyncio.to_thread(passwords_in, folder)
            await _seed(running.settings, passwords)
            screen.accounts(running.settings.api.public_url, passwords)
            told = await _until_asked(Story(running.settings, screen, passwords), asked)
            if not once and not asked.is_set():
                url = running.settings.api.public_url
                screen.say("")
                if told is not None:
                    here = now().astimezone()
                    for line in how_to_publish(told.open_class, url, INSTRUCTOR, passwords[INSTRUCTOR], here):
                        screen.say(line)
                for line in how_to_command(running.settings, told.recording_id if told else None):
                    screen.say(line)
                screen.say(f"Lectern stays at {url} · Ctrl-C stops it")
                await asked.wait()
            if asked.is_set():
                screen.say("Stopping: what is open is closed, a few seconds …")
    if asked.is_set():
        screen.say("Stopped.")
    return 0 if told is not None else STORY_FAILED


def clear(folder: Path) -> None:
    """Remove what demos left. Complaint where the folder holds anything that is not ours."""
    strangers = [one.name for one in folder.iterdir() if one.name not in OURS] if folder.exists() else []
    if strangers:
        raise Complaint(
            f"{folder} holds {strangers[0]}, which is not Lectern's: empty it yourself, or name another folder"
        )
    shutil.rmtree(folder, ignore_errors=True)


async def _seed(settings: Settings, passwords: dict[str, str]) -> None:
    catalogue = Catalogue.from_settings(settings.storage, "lectern-seed")
    try:
        async with catalogue.transaction() as tx:
            await seed(tx, passwords, now())
    finally:
        await catalogue.close()


async def _until_asked(story: Story, asked: asyncio.Event) -> Told | None:
    """Tell the story unless Ctrl-C comes first; None where it came to no good end."""
    telling, stopping = asyncio.create_task(story.tell()), asyncio.create_task(asked.wait())
    await asyncio.wait({telling, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (telling, stopping):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await stopping
    try:
        return await telling
    except asyncio.CancelledError:
        return None
    except StepFailed as failed:
        sys.stderr.write(f"lectern: the story ended at: {failed}; the processes' logs are in the data folder's logs/\n")
        return None
