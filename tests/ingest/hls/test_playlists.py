"""The live playlists as literal text, and every version of one judged by the rules of RFC 8216bis."""

import gzip
from datetime import UTC, datetime

from ingest.cuts import cut_rule
from ingest.events import Init
from ingest.hls.playlists import LivePlaylist, multivariant_text
from ingest.hls.window import LiveWindow, WindowSegment
from ingest.packager import Packager
from media.packet import Packet
from tests.ingest.builders import audio, interleaved, video
from tests.kit.hls import rules

RULE = cut_rule(0.5, 2.0, 6)
ORIGIN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def window(packets: list[Packet], *, flush: bool = False, memory: int = 3) -> LiveWindow:
    made = LiveWindow(origin=ORIGIN, part_target_seconds=0.5, segments_in_memory=memory)
    packager = Packager(RULE)
    events = [event for packet in packets for event in packager.packet(packet)]
    for event in events + (packager.flush() if flush else []):
        if isinstance(event, Init):
            made.add_init(event)
        elif closed := made.apply(event):
            closed.source = "the spool"
    return made


def text(made: LiveWindow, rendition: str = "main", **options: bool) -> str:
    return LivePlaylist(made, "audio" if rendition == "audio" else "main", 6).text(**options).decode()


def test_a_playlist_while_a_part_is_in_the_making() -> None:
    assert text(window(interleaved(video(8.7), audio(8.7)), memory=1)) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:9\n"
        "#EXT-X-TARGETDURATION:6\n"
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=36.0,HOLD-BACK=18.0,PART-HOLD-BACK=1.5\n"
        "#EXT-X-PART-INF:PART-TARGET=0.5\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        '#EXT-X-MAP:URI="init-1.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:00.000Z\n"
        "#EXTINF:2.0,\n"
        "seg-0.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:02.000Z\n"
        "#EXTINF:2.0,\n"
        "seg-1.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:04.000Z\n"
        "#EXTINF:2.0,\n"
        "seg-2.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:06.000Z\n"
        '#EXT-X-PART:DURATION=0.5,URI="part-3.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-3.1.m4s"\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-3.2.m4s"\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-3.3.m4s"\n'
        "#EXTINF:2.0,\n"
        "seg-3.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:08.000Z\n"
        '#EXT-X-PART:DURATION=0.5,URI="part-4.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-4.1.m4s"\n'
        '#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=4,LAST-PART=0\n'
    )


def test_the_end_and_a_second_take() -> None:
    packets = interleaved(video(2), audio(2)) + interleaved(video(1, start=9), audio(1, start=9))
    made = window(packets, flush=True)
    made.end()
    assert text(made).split("#EXT-X-MEDIA-SEQUENCE:0\n")[1] == (
        '#EXT-X-MAP:URI="init-1.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:00.000Z\n"
        '#EXT-X-PART:DURATION=0.5,URI="part-0.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-0.1.m4s"\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-0.2.m4s"\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-0.3.m4s"\n'
        "#EXTINF:2.0,\n"
        "seg-0.m4s\n"
        "#EXT-X-DISCONTINUITY\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:09.000Z\n"
        '#EXT-X-PART:DURATION=0.5,URI="part-1.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-1.1.m4s"\n'
        "#EXTINF:1.0,\n"
        "seg-1.m4s\n"
        "#EXT-X-ENDLIST\n"
    )


def test_a_delta_update_leaves_out_what_is_older_than_the_boundary() -> None:
    made = window(interleaved(video(61), audio(61)))
    delta, whole = text(made, skip=True), text(made)
    assert "#EXT-X-SKIP:SKIPPED-SEGMENTS=12\n" in delta
    assert "seg-11.m4s" not in delta
    assert (
        delta.split("SKIPPED-SEGMENTS=12\n")[1] == whole[whole.index("#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:24") :]
    )
    assert "SKIP:" not in text(window(interleaved(video(20), audio(20))), skip=True)


def test_sound_that_is_not_there_is_a_gap_in_its_rendition_alone() -> None:
    made = window(interleaved(video(6), audio(3, start=2.5)), flush=True)
    sound = text(made, "audio")
    assert '#EXT-X-PART:DURATION=0.5,URI="audio-part-0.0.m4s",INDEPENDENT=YES,GAP=YES\n' in sound
    assert sound.count("#EXT-X-GAP\n") == 2
    assert "GAP" not in text(made)


def test_media_that_lies_nowhere_is_a_gap() -> None:
    made = window(interleaved(video(12), audio(12)), memory=1)
    lost = WindowSegment(0, 0, 1, 0, False, duration=180_000)
    made.segments[0] = lost
    assert text(made).count("#EXT-X-GAP\n") == 1


def test_every_version_keeps_the_rules_and_its_gzip_is_the_same_text() -> None:
    """One playlist object through a take with two inits, as a player that asks for every version sees it."""
    packets = interleaved(video(50, rate=25, key_every=1.6), audio(40, start=6.3))
    made = LiveWindow(origin=ORIGIN, part_target_seconds=0.5)
    playlists = [LivePlaylist(made, "main", 6), LivePlaylist(made, "audio", 6)]
    packager, previous = Packager(RULE), ["", ""]
    for packet in packets:
        for event in packager.packet(packet):
            if isinstance(event, Init):
                made.add_init(event)
                continue
            if closed := made.apply(event):
                closed.source = "the spool"
            if not made.version:
                continue  # opened, but without a part
            for n, playlist in enumerate(playlists):
                now = playlist.text().decode()
                assert gzip.decompress(playlist.text(gzip=True)).decode() == now
                assert gzip.decompress(playlist.text(skip=True, gzip=True)) == playlist.text(skip=True)
                assert rules.of_version(now, previous[n], playlist.text(skip=True).decode()) == []
                previous[n] = now


def test_slow_video_alone_raises_the_part_target_rather_than_break_it() -> None:
    made = window(list(video(12, rate=1, key_every=3)))
    playlist = text(made)
    assert "#EXT-X-PART-INF:PART-TARGET=1.0\n" in playlist
    assert rules.of_media(playlist) == []


def test_the_multivariant_playlist_names_the_source_and_its_sound() -> None:
    made = window(interleaved(video(5), audio(5)))
    lines = multivariant_text(made).decode().splitlines()
    assert lines[2].startswith("#EXT-X-STREAM-INF:BANDWIDTH=")
    assert lines[2].endswith('CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=480x270,FRAME-RATE=30.000')
    sound = '#EXT-X-STREAM-INF:BANDWIDTH=12192,AVERAGE-BANDWIDTH=12192,CODECS="mp4a.40.2"'
    assert lines[3:] == ["main.m3u8", sound, "audio.m3u8"]
    assert multivariant_text(window(list(audio(5)))).decode().splitlines()[3:] == ["main.m3u8"]
