"""Captures what a real encoder sends: a server of ours, a line that keeps its bytes, and the encoder's command.

    .venv/bin/python -P -m tests.ingest.rtmp.capture NAME COMMAND…

In COMMAND `{url}`, `{server}` and `{port}` stand for where to publish, `{flv}` for a file that the encoder writes
beside it, if it can: then what is expected comes from that file, read by libavformat, and not from us. NAME.rtmp and
NAME.json go to `captures/`. Read by test_captures.py.
"""

import asyncio
import contextlib
import hashlib
import json
import shlex
import sys
import tempfile
from pathlib import Path

from ingest.rtmp.server import RtmpServer
from ingest.rtmp.settings import RtmpSettings
from tests.ingest.rtmp.recorder import Flat, Recorder, demuxed, received

FOLDER = Path(__file__).with_name("captures")
KEY = "KEY"


def listed(packets: dict[str, list[Flat]]) -> list[list[object]]:
    """[kind, dts ms, pts ms, whether a key frame, bytes, first 8 of their SHA-256] of each, video before audio.

    AV1's temporal delimiter, which FLV has and ISO-BMFF has not, is left out.
    """
    found: list[list[object]] = []
    for kind in ("video", "audio"):
        for dts, pts, key, sent in packets[kind]:
            data = sent.removeprefix(b"\x12\x00")
            found.append([kind, dts, pts, key, len(data), hashlib.sha256(data).hexdigest()[:8]])
    return found


async def capture(name: str, command: list[str]) -> None:
    recorder, said = Recorder(), bytearray()
    server = RtmpServer(RtmpSettings(hosts=("127.0.0.1",), port=0), recorder)
    await server.start()

    async def line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours, to_ours = await asyncio.open_connection("127.0.0.1", server.port)

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, keep: bytearray | None) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65_536):
                    if keep is not None:
                        keep += data
                    target.write(data)
                    await target.drain()
                target.write_eof()

        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(copy(reader, to_ours, said), copy(ours, writer, None))
        to_ours.close()
        writer.close()

    door = await asyncio.start_server(line, "127.0.0.1", 0)
    port = door.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        flv = Path(folder) / "beside.flv"
        places = {"server": f"rtmp://127.0.0.1:{port}/live", "port": str(port), "flv": str(flv)}
        places["url"] = f"{places['server']}/{KEY}"
        words = [word.format_map(places) for word in command]
        process = await asyncio.create_subprocess_exec(*words)
        await asyncio.wait_for(process.wait(), 120)
        await recorder.until(lambda: recorder.takes and recorder.takes[-1].ends)
        take = recorder.takes[-1]
        seen = {kind: received(take, kind) for kind in ("video", "audio")}
        beside = demuxed(flv) if flv.exists() else None
    door.close()
    await server.stop()
    (FOLDER / f"{name}.rtmp").write_bytes(said)
    about = {
        "command": shlex.join(command),
        "encoder": take.request.encoder,
        "named_in_metadata": [metadata.get("encoder") for metadata in take.metadata_seen],
        "expected_from": "the file that the encoder wrote beside it" if beside else "the server at the time",
        "tracks": [
            [track.codec, track.width, track.height, track.sample_rate, track.channels] for track in take.tracks
        ],
        "ended": take.ends,
    }
    packets = listed(beside or seen)
    lines = ",\n  ".join(json.dumps(packet) for packet in packets)
    text = json.dumps(about, indent=1).removesuffix("\n}") + f',\n "packets": [\n  {lines}\n ]\n}}\n'
    (FOLDER / f"{name}.json").write_text(text, "utf-8")
    sys.stderr.write(f"{name}: {len(said)} bytes, {len(packets)} packets, as expected: {listed(seen) == packets}\n")


if __name__ == "__main__":
    asyncio.run(capture(sys.argv[1], sys.argv[2:]))
