"""Starts a bundled server for each store that has no address, and gives settings that point to them."""

import asyncio
import contextlib
import dataclasses
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

from lectern.own_settings import MASTER_SECRET_BYTES
from lectern.running_house import MASTER_SECRET
from lectern.settings import Settings
from storage.embedded import postgres, s3, valkey
from storage.embedded.child import RunningServer
from storage.embedded.folder import write_private

Server = TypeVar("Server", bound=RunningServer)


@contextlib.asynccontextmanager
async def servers_for(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose addresses all answer; what was started here is stopped when the block ends.

    The servers start side by side. Raises ServerFailed, FolderInUse (another Lectern runs on this data folder).
    """
    folder = settings.lectern.data_folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    storage = settings.storage
    async with contextlib.AsyncExitStack() as stack:

        async def started(needed: bool, start: Callable[[Path], Server], name: str) -> Server | None:
            if not needed:
                return None
            starting = asyncio.ensure_future(asyncio.to_thread(start, folder / name))
            try:
                running = await asyncio.shield(starting)
            except asyncio.CancelledError:
                # A thread cannot be stopped in the middle: what it started is waited for, and ended then.
                await asyncio.to_thread((await starting).stop)
                raise
            stack.push_async_callback(asyncio.to_thread, running.stop)
            return running

        ended = await asyncio.gather(
            started(not storage.database_url, postgres.start, "postgres"),
            started(not storage.valkey_url, valkey.start, "valkey"),
            started(not storage.s3_endpoint, s3.start, "s3"),
            return_exceptions=True,  # all have come to an end then, and what did start is stopped below
        )
        database, queue, objects = _or_raise(ended[0]), _or_raise(ended[1]), _or_raise(ended[2])
        if database:
            storage = dataclasses.replace(storage, database_url=database.url, database_owner_url=database.owner_url)
        if queue:
            storage = dataclasses.replace(storage, valkey_url=queue.url)
        if objects:
            storage = dataclasses.replace(
                storage, s3_endpoint=objects.endpoint, s3_access_key=objects.access_key,
                s3_secret_key=objects.secret_key, s3_bucket=objects.bucket, s3_region=objects.region,
                s3_secure=objects.secure,
            )  # fmt: skip
        yield dataclasses.replace(_with_secret(settings, folder), storage=storage)


def _or_raise(end: Server | BaseException | None) -> Server | None:
    if isinstance(end, BaseException):
        raise end
    return end


def _with_secret(settings: Settings, folder: Path) -> Settings:
    """The master secret given, or one made once and kept beside the data (0600)."""
    if settings.lectern.master_secret:
        return settings
    kept = folder / MASTER_SECRET
    if not kept.exists():
        write_private(kept, secrets.token_hex(MASTER_SECRET_BYTES))
    return dataclasses.replace(
        settings, lectern=dataclasses.replace(settings.lectern, master_secret=kept.read_text().strip())
    )
