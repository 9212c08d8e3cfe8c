"""What real encoders sent, replayed in any pieces: the same tracks, packets and end each time (captures/README.md)."""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.events import MediaReceived, MetadataReceived, PublishEnded, PublishRequested, TrackConfigured
from tests.ingest.rtmp.capture import FOLDER, KEY, listed
from tests.ingest.rtmp.recorder import Flat

CAPTURES = sorted(FOLDER.glob("*.rtmp"))
Seen = dict[str, Any]


def about(capture: Path) -> Seen:
    found: Seen = json.loads(capture.with_suffix(".json").read_text("utf-8"))
    return found


def replayed(pieces: Iterable[bytes]) -> Seen:
    """What a connection makes of it; the publish is admitted on the spot."""
    connection = RtmpConnection(0.0)
    packets: dict[str, list[Flat]] = {"video": [], "audio": []}
    seen: Seen = {"tracks": [], "ended": [], "named_in_metadata": [], "answered": b""}
    for piece in pieces:
        events = connection.receive(piece, 1.0)
        connection.acknowledge()
        for event in list(events):
            if isinstance(event, PublishRequested):
                assert (event.app, event.key) == ("live", KEY)
                seen["encoder"] = event.encoder
                events += connection.accept_publish(event.stream_id, 1.0)
        seen["answered"] += connection.data_to_send()
        for event in events:
            if isinstance(event, TrackConfigured):
                track = event.track
                told = [track.codec, track.width, track.height, track.sample_rate, track.channels]
                if told not in seen["tracks"]:  # SVT-AV1's first picture corrects the header that came before it
                    seen["tracks"].append(told)
            elif isinstance(event, MediaReceived):
                packet = event.packet
                per_ms = packet.track.timescale // 1000
                times = packet.dts // per_ms, packet.pts // per_ms
                packets[packet.track.kind].append((*times, packet.keyframe, bytes(packet.data)))
            elif isinstance(event, MetadataReceived):
                seen["named_in_metadata"].append(event.metadata.get("encoder"))
            elif isinstance(event, PublishEnded):
                seen["ended"].append(event.reason)
    assert connection.error is None
    return seen | {"packets": listed(packets)}


def test_there_are_captures_of_each_family() -> None:
    assert {capture.stem.partition("-")[0] for capture in CAPTURES} == {"ffmpeg", "gstreamer", "obs"}
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 300_000


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_whole_by_the_byte_and_in_any_pieces(capture: Path) -> None:
    said, expected = capture.read_bytes(), about(capture)
    whole = replayed([said])
    for name in ("encoder", "tracks", "ended", "named_in_metadata", "packets"):
        assert whole[name] == expected[name], name
    assert whole == replayed(said[place : place + 1] for place in range(len(said))) | {"answered": whole["answered"]}
    dice = random.Random(capture.stem)
    for _ in range(40):
        cuts = sorted(dice.sample(range(1, len(said)), dice.randint(1, 60)))
        pieces = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
        again = replayed(pieces)
        assert again["packets"] == whole["packets"]
        assert again["ended"] == whole["ended"]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_the_handshake_that_was_asked_for(capture: Path) -> None:
    """ffmpeg signs its block as Flash does, and checks that we do; GStreamer and OBS do not."""
    said = capture.read_bytes()
    reply = replayed([said])["answered"][: 1 + 2 * 1536]
    signed = reply[5:9] != bytes(4)
    assert signed == capture.stem.startswith("ffmpeg")
    assert (reply[1537:] == said[1:1537]) == (not signed)
