"""Publishes an FLV file by librtmp, the library whose descendant is in OBS. A program: LIBRARY URL CLIP.

librtmp blocks and logs for itself, so it has a process of its own. Ends with 0 when all was written.
"""

import ctypes
import sys
from pathlib import Path

_BLOCK_BYTES = 64 * 1024


def main(library: str, url: str, clip: str) -> int:
    rtmp = ctypes.CDLL(library)
    rtmp.RTMP_Alloc.restype = ctypes.c_void_p
    session = ctypes.c_void_p(rtmp.RTMP_Alloc())
    address = ctypes.create_string_buffer(url.encode())  # librtmp keeps pointing into it
    data = Path(clip).read_bytes()
    rtmp.RTMP_Init(session)
    if not rtmp.RTMP_SetupURL(session, address):
        return 2
    rtmp.RTMP_EnableWrite(session)
    if not rtmp.RTMP_Connect(session, None):
        return 3
    if not rtmp.RTMP_ConnectStream(session, 0):
        return 4
    for start in range(0, len(data), _BLOCK_BYTES):
        block = data[start : start + _BLOCK_BYTES]
        if rtmp.RTMP_Write(session, block, len(block)) != len(block):
            return 5
    rtmp.RTMP_Close(session)
    rtmp.RTMP_Free(session)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
