"""Each folder that a process writes to is there or can be made, may be written, and has room."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from lectern.doctor.finding import Finding, bad, doubtful, good
from lectern.running_house import find
from lectern.settings import Settings

GIB = 1 << 30
Examine = Callable[[Settings], Finding]


def data_folder(settings: Settings) -> Finding:
    """The embedded servers' data, where there are any."""
    storage = settings.storage
    has_addresses = storage.database_url and storage.valkey_url and storage.s3_endpoint
    if has_addresses and find(settings.lectern.data_folder) is None:
        return good("not used: every store has an address")
    return _folder(settings, settings.lectern.data_folder, "LECTERN_DATA_FOLDER")


def spool(settings: Settings) -> Finding:
    """Lectures in progress, until the object store has them."""
    return _folder(settings, settings.ingest.spool_folder, "LECTERN_INGEST_SPOOL_FOLDER")


def work(settings: Settings) -> Finding:
    """Encoding jobs' files."""
    return _folder(settings, settings.transcode.work_folder, "LECTERN_TRANSCODE_WORK_FOLDER")


def _folder(settings: Settings, folder: Path, variable: str) -> Finding:
    path = folder.resolve()
    there = next(one for one in (path, *path.parents) if one.exists())
    if not there.is_dir():
        return bad(f"{there} is no folder", f"remove it, or name another folder in {variable}")
    if not os.access(there, os.W_OK | os.X_OK):
        return bad(f"{there} may not be written", f"give it to the user that runs Lectern, or change {variable}")
    free = shutil.disk_usage(there).free
    found = f"{path}: {free / GIB:.1f} GiB free"
    if free < settings.ingest.disk_full_bytes:
        return bad(found, f"free some, or name a folder on another disk in {variable}: recording pauses so")
    if free < settings.ingest.disk_low_bytes:
        return doubtful(found, f"free some, or name a folder on another disk in {variable}")
    return good(found)
