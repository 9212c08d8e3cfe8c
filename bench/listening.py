"""Runs audiences: starts the load's process, hears that all are served, meters a server meanwhile, reads what came."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from bench.audience import Order, Result
from bench.measure import Meter, Usage
from domain import playback_token
from domain.playback_token import PlaybackClaim
from lectern.clock import now
from lectern.complaint import Complaint
from lectern.keys import derive
from lectern.settings import Settings
from storage.catalogue.identifiers import new_id
from storage.embedded.ports import LOOPBACK

ARRIVAL_SECONDS = 60.0
LINE_BYTES = 1 << 26
TOKEN_HOURS = 6


@dataclass(frozen=True)
class Listened:
    """One window with an audience."""

    viewers: int
    result: Result
    usage: Usage


def token(settings: Settings, session_id: UUID) -> str:
    """A playback token of a live session, for a person and a sign-in of its own."""
    until = now() + timedelta(hours=TOKEN_HOURS)
    claim = PlaybackClaim("live", session_id, new_id(), new_id(), until)
    return playback_token.sign(derive(settings.lectern).playback, claim)


def address(settings: Settings, session_id: UUID) -> str:
    """The path of a live session for one viewer more."""
    return f"/live/{session_id}/{token(settings, session_id)}"


async def listen(
    settings: Settings,
    session_id: UUID,
    viewers: int,
    pids: Sequence[int],
    seconds: float,
    *,
    port: int = 0,
    fields: Sequence[str] = (),
    tls: bool = False,
) -> Listened:
    """So many viewers for `seconds`, and what these processes used meanwhile. Complaint where one was not served.
    `port` is another than the node's own; `fields` are header lines of each request.
    """
    paths = [address(settings, session_id) for _ in range(viewers)]
    order = Order(LOOPBACK, port or settings.ingest.http_port, paths, list(fields), tls)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "bench.audience", limit=LINE_BYTES,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(dataclasses.asdict(order)).encode() + b"\n")
        async with asyncio.timeout(ARRIVAL_SECONDS):
            await process.stdout.readline()
        meter = Meter(pids)
        await asyncio.sleep(seconds)
        usage = meter.stop()
        process.stdin.write(b"\n")
        told = await process.stdout.readline()
    except TimeoutError:
        raise Complaint(f"{viewers} viewers were not served within {ARRIVAL_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    if not told:
        raise Complaint("the audience ended without a word")
    found: dict[str, Any] = json.loads(told)
    result = Result(**found)
    if result.failures:
        raise Complaint(f"a viewer was not served: {result.failures[0]}")
    return Listened(viewers, result, usage)
