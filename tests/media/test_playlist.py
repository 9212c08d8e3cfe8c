"""Whole playlists as literal text, and reading what was written.

What a player needs is in RFC 8216bis; each test names the rule where it is not plain from the text.
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import playlist
from media.malformed import MalformedMedia
from media.playlist import (
    AudioRendition,
    ByteRange,
    MediaPlaylist,
    PartLine,
    RenditionReport,
    SegmentLines,
    ServerControl,
    Variant,
    assemble,
    multivariant,
    older_than,
    parse_media,
    segment_text,
)

START = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
CONTROL = ServerControl(True, can_skip_until_seconds=24, part_hold_back_seconds=1.5)


def live(count: int) -> MediaPlaylist:
    """A live playlist of two-second segments in four parts each, one more being written."""
    segments = [
        SegmentLines(
            msn=msn,
            uri=f"seg-{msn}.m4s",
            duration_seconds=2.0,
            program_date_time=START + timedelta(seconds=2 * msn),
            parts=tuple(PartLine(f"part-{msn}.{n}.m4s", 0.5, independent=n == 0) for n in range(4)),
            map_uri="init-1.mp4",
        )
        for msn in range(count)
    ]
    newest = SegmentLines(
        msn=count,
        uri="",
        duration_seconds=0.0,
        program_date_time=START + timedelta(seconds=2 * count),
        parts=(PartLine(f"part-{count}.0.m4s", 0.500022, independent=True),),
        map_uri="init-1.mp4",
    )
    return MediaPlaylist(
        target_duration_seconds=2,
        part_target_seconds=0.5,
        segments=segments,
        open_segment=newest,
        preload_hint=f"part-{count}.1.m4s",
        rendition_reports=(RenditionReport("audio.m3u8", count, 0),),
        server_control=CONTROL,
        playlist_type="EVENT",
        independent_segments=True,
    )


def test_a_live_playlist() -> None:
    assert live(1).render() == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:9\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0,PART-HOLD-BACK=1.5\n"
        "#EXT-X-PART-INF:PART-TARGET=0.5\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:EVENT\n"
        '#EXT-X-MAP:URI="init-1.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-02T00:30:00.000Z\n"
        '#EXT-X-PART:DURATION=0.5,URI="part-0.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-0.1.m4s"\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-0.2.m4s"\n'
        '#EXT-X-PART:DURATION=0.5,URI="part-0.3.m4s"\n'
        "#EXTINF:2.0,\n"
        "seg-0.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-02T00:30:02.000Z\n"
        '#EXT-X-PART:DURATION=0.500022,URI="part-1.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-1.1.m4s"\n'
        '#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=1,LAST-PART=0\n'
    )


def test_a_playlist_of_a_recording() -> None:
    zone = timezone(timedelta(hours=8))
    segments = (
        SegmentLines(0, "00001-0.m4s", 4.0, datetime(2026, 3, 2, 8, 30, tzinfo=zone), map_uri="init-1.mp4"),
        SegmentLines(1, "reel.m4s", 3.999, byte_range=ByteRange(1000, 4096)),
        SegmentLines(2, "00002-0.m4s", 5.5, discontinuity=True, map_uri="init-2.mp4"),
        SegmentLines(3, "lost.m4s", 2.25, gap=True),
    )
    made = MediaPlaylist(6, segments=segments, playlist_type="VOD", endlist=True, discontinuity_sequence=3)
    assert made.render() == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:6\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        '#EXT-X-MAP:URI="init-1.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-02T00:30:00.000Z\n"
        "#EXTINF:4.0,\n"
        "00001-0.m4s\n"
        "#EXTINF:3.999,\n"
        "#EXT-X-BYTERANGE:1000@4096\n"
        "reel.m4s\n"
        "#EXT-X-DISCONTINUITY\n"
        '#EXT-X-MAP:URI="init-2.mp4"\n'
        "#EXTINF:5.5,\n"
        "00002-0.m4s\n"
        "#EXT-X-GAP\n"
        "#EXTINF:2.25,\n"
        "lost.m4s\n"
        "#EXT-X-ENDLIST\n"
    )


def test_old_segments_lose_their_parts_and_a_delta_update_skips_older_ones() -> None:
    made = live(20)  # 40 s closed and 0.5 s open
    text = made.render()
    assert text.count("#EXT-X-MAP:") == 1
    listed = [index for index in range(20) if f'"part-{index}.0.m4s"' in text]
    assert listed == [17, 18, 19], "those not wholly older than three target durations: 16 ends 6.5 s from the end"
    delta = made.render(skip=True)
    lines = delta.split("\n")
    skip = lines.index("#EXT-X-SKIP:SKIPPED-SEGMENTS=8")
    assert lines[skip + 1] == "#EXT-X-PROGRAM-DATE-TIME:2026-03-02T00:30:16.000Z", "no map again: it was skipped"
    assert delta[delta.index("#EXT-X-PROGRAM") :] in text
    assert parse_media(delta).skipped_segments == 8
    assert [segment.msn for segment in parse_media(delta).segments] == list(range(8, 20))


def test_no_delta_update_without_a_boundary_or_before_it() -> None:
    assert "SKIP:" not in live(12).render(skip=True)
    plain = MediaPlaylist(2, segments=live(20).segments, server_control=ServerControl(True))
    assert plain.render(skip=True) == plain.render()


def test_a_new_map_in_the_open_segment_stands_behind_its_discontinuity() -> None:
    made = MediaPlaylist(
        2,
        segments=[SegmentLines(7, "a.m4s", 2.0, map_uri="1.mp4")],
        media_sequence=7,
        open_segment=SegmentLines(8, "", 0.0, parts=(PartLine("p", 0.5),), discontinuity=True, map_uri="2.mp4"),
    )
    assert made.render().endswith(
        'a.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="2.mp4"\n#EXT-X-PART:DURATION=0.5,URI="p"\n'
    )


def test_parts_of_every_kind() -> None:
    parts = (PartLine("a", 0.25, gap=True), PartLine("b", 1 / 3, True, byte_range=ByteRange(10, 20)))
    assert segment_text(SegmentLines(0, "s", 1.0, parts=parts), with_parts=True) == (
        '#EXT-X-PART:DURATION=0.25,URI="a",GAP=YES\n'
        '#EXT-X-PART:DURATION=0.333333,URI="b",INDEPENDENT=YES,BYTERANGE="10@20"\n'
        "#EXTINF:1.0,\n"
        "s\n"
    )


@pytest.mark.parametrize("count", [0, 1, 3, 25])
@pytest.mark.parametrize("skip", [False, True])
def test_a_playlist_put_together_from_kept_bytes_is_the_same(count: int, skip: bool) -> None:
    made = live(count)
    bare = [segment_text(segment, with_parts=False, with_map=segment.msn == 0).encode() for segment in made.segments]
    full = [segment_text(segment, with_parts=True, with_map=segment.msn == 0).encode() for segment in made.segments]
    durations = [segment.duration_seconds for segment in made.segments]
    old, skipped = older_than(durations, 6, 0.500022), older_than(durations, 24, 0.500022) if skip else 0
    kept = (*bare[skipped:old], *full[old:])
    footer = made.footer("init-1.mp4" if count else None)
    assert assemble(made.header(skipped), kept, footer) == made.render(skip).encode()


def test_how_many_segments_are_older() -> None:
    assert older_than([], 6) == 0
    assert older_than([2.0] * 3, 6) == 0
    assert older_than([2.0] * 4, 6) == 0, "exactly at the boundary is not behind it"
    assert older_than([2.0] * 4, 6, 0.1) == 1
    assert older_than([4.0, 1.0, 1.0, 4.0], 4.5) == 2
    assert older_than([2.0] * 4, 6, 100.0) == 4


def test_a_multivariant_playlist() -> None:
    variants = [
        Variant("main.m3u8", 5_200_000, 4_700_000, "avc1.640028,mp4a.40.2", 1920, 1080, 29.97, "audio"),
        Variant("audio.m3u8", 140_000, None, "mp4a.40.2", audio_group="audio"),
    ]
    sound = AudioRendition("audio", "原声", "audio.m3u8", "zh", channels=2)
    audio = [sound, AudioRendition("audio", "main", default=False)]
    assert multivariant(variants, audio, independent=True) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="原声",LANGUAGE="zh",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
        'URI="audio.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="main",DEFAULT=NO,AUTOSELECT=YES\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=5200000,AVERAGE-BANDWIDTH=4700000,CODECS="avc1.640028,mp4a.40.2",'
        'RESOLUTION=1920x1080,FRAME-RATE=29.970,AUDIO="audio"\n'
        "main.m3u8\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=140000,CODECS="mp4a.40.2",AUDIO="audio"\n'
        "audio.m3u8\n"
    )
    assert multivariant(variants[1:]).startswith("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:")


@pytest.mark.parametrize("uri", ["", "#EXTM3U", "a\n#EXT-X-ENDLIST", "a\rb", " a", "a "])
def test_uris_that_would_break_the_text(uri: str) -> None:
    with pytest.raises(MalformedMedia):
        segment_text(SegmentLines(0, uri, 1.0), with_parts=False)


@pytest.mark.parametrize("name", ['a"', "a\nb", "a\r"])
def test_names_that_would_break_the_text(name: str) -> None:
    with pytest.raises(MalformedMedia):
        multivariant([], [AudioRendition("audio", name)])


def test_what_others_write_can_be_read() -> None:
    text = (
        "#EXTM3U\r\n#EXT-X-VERSION:4\r\n# a comment\r\n#EXT-X-UNKNOWN:1\r\n#EXT-X-TARGETDURATION:10\r\n"
        '#EXT-X-MEDIA-SEQUENCE:5\r\n#EXT-X-MAP:URI="i.mp4",BYTERANGE="700@0"\r\n'
        "#EXTINF:9,a title, with a comma\r\n#EXT-X-BYTERANGE:10@700\r\nall.m4s\r\n\r\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-02T08:30:00+08:00\r\n#EXTINF:9.5\r\n#EXT-X-BYTERANGE:20\r\nall.m4s\r\n"
        '#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="x"\r\n#EXT-X-ENDLIST'
    )
    assert parse_media(text) == MediaPlaylist(
        10,
        media_sequence=5,
        segments=(
            SegmentLines(5, "all.m4s", 9.0, map_uri="i.mp4", byte_range=ByteRange(10, 700)),
            SegmentLines(6, "all.m4s", 9.5, START, map_uri="i.mp4", byte_range=ByteRange(20, 710)),
        ),
        endlist=True,
    )


@pytest.mark.parametrize(
    "body",
    [
        "#EXT-X-MEDIA-SEQUENCE:0",  # no target duration
        "#EXT-X-TARGETDURATION:x",
        "#EXT-X-TARGETDURATION:1_0",
        "#EXT-X-TARGETDURATION:2\nseg.m4s",  # no EXTINF
        "#EXT-X-TARGETDURATION:2\n#EXTINF:nan,\nseg.m4s",
        "#EXT-X-TARGETDURATION:2\n#EXTINF:-1,\nseg.m4s",
        "#EXT-X-TARGETDURATION:2\n#EXT-X-PART:DURATION=1",
        '#EXT-X-TARGETDURATION:2\n#EXT-X-PART:DURATION=1,URI="a" b',
        '#EXT-X-TARGETDURATION:2\n#EXT-X-PART:DURATION=1,DURATION=2,URI="a"',
        "#EXT-X-TARGETDURATION:2\n#EXT-X-PROGRAM-DATE-TIME:today",
        "#EXT-X-TARGETDURATION:2\n#EXT-X-BYTERANGE:a@b",
        "#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:LIVE",
        "#EXT-X-TARGETDURATION:2\n#EXT-X-SKIP:SKIPPED-SEGMENTS=-1",
    ],
)
def test_playlists_that_are_none(body: str) -> None:
    with pytest.raises(MalformedMedia):
        parse_media("#EXTM3U\n" + body)


def test_text_that_is_no_playlist_or_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "<html>", "\n#EXTM3U\n#EXT-X-TARGETDURATION:2"):
        with pytest.raises(MalformedMedia):
            parse_media(text)
    monkeypatch.setattr(playlist, "MAX_LINES", 3)
    assert parse_media("#EXTM3U\n#EXT-X-TARGETDURATION:2\n").target_duration_seconds == 2
    with pytest.raises(MalformedMedia):
        parse_media("#EXTM3U\n#EXT-X-TARGETDURATION:2\n\n")


uris = st.text("abcß讲-./?=&", min_size=1, max_size=8)
durations = st.integers(1, 10_000_000).map(lambda number: number / 1_000_000)
ranges = st.none() | st.builds(ByteRange, st.integers(0, 2**40), st.integers(0, 2**40))
part_lines = st.builds(PartLine, uris, durations, st.booleans(), st.booleans(), ranges)
instants = st.none() | st.integers(0, 2**41).map(
    lambda ms: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
drafts = st.lists(
    st.tuples(uris, durations, instants, st.lists(part_lines, max_size=3), st.booleans(), st.booleans(), ranges),
    max_size=6,
)


@given(
    drafts=drafts,
    maps=st.lists(uris, min_size=1, max_size=3),
    first=st.integers(0, 10**9),
    hint=st.none() | uris,
    reports=st.lists(st.builds(RenditionReport, uris, st.integers(0, 99), st.none() | st.integers(0, 9)), max_size=2),
    control=st.none() | st.builds(ServerControl, st.just(True), st.just(24.0), st.none(), durations),
    still_open=st.booleans(),
)
def test_what_is_written_can_be_read(
    drafts: list[tuple[str, float, datetime | None, list[PartLine], bool, bool, ByteRange | None]],
    maps: list[str],
    first: int,
    hint: str | None,
    reports: list[RenditionReport],
    control: ServerControl | None,
    still_open: bool,
) -> None:
    segments = tuple(
        SegmentLines(first + index, uri, length, at, tuple(parts), cut, maps[index * len(maps) // 6], gap, place)
        for index, (uri, length, at, parts, cut, gap, place) in enumerate(drafts)
    )
    newest = SegmentLines(first + len(drafts), "", 0.0, parts=(PartLine("p", 0.5),), map_uri=maps[-1])
    made = MediaPlaylist(
        1_000_000,  # so that every segment keeps its parts
        part_target_seconds=0.5,
        media_sequence=first,
        segments=segments,
        open_segment=newest if still_open else None,
        preload_hint=hint,
        rendition_reports=tuple(reports),
        server_control=control,
    )
    assert parse_media(made.render()) == made
