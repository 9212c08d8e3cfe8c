"""The judge itself: a good playlist is good, and whatever is broken in it is found, with its section."""

import pytest

from tests.kit.hls import rules
from tests.kit.hls.lines import read_media
from tests.kit.hls.master import Held, bit_rates, of_master

GOOD = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:6
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=36.0,HOLD-BACK=18.0,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:4
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:08.000Z
#EXTINF:2.0,
seg-4.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:10.000Z
#EXT-X-PART:DURATION=0.5,URI="part-5.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.48,URI="part-5.1.m4s"
#EXT-X-PART:DURATION=0.02,URI="part-5.2.m4s"
#EXTINF:1.0,
seg-5.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-2.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:14.000Z
#EXT-X-PART:DURATION=0.5,URI="part-6.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-6.1.m4s"
#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=6,LAST-PART=0
"""
NEXT = GOOD.replace(
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-6.1.m4s"\n',
    '#EXT-X-PART:DURATION=0.5,URI="part-6.1.m4s"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-6.2.m4s"\n',
)


def test_a_good_playlist() -> None:
    assert rules.of_media(GOOD) == []
    assert rules.of_change(GOOD, NEXT) == []
    assert rules.of_media(NEXT) == []
    found = read_media(GOOD)
    assert [(one.msn, one.breaks, one.map_uri) for one in found.all] == [
        (4, 0, "init-1.mp4"), (5, 0, "init-1.mp4"), (6, 1, "init-2.mp4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ("VERSION:9", "VERSION:5", "8"),
        ("EXTINF:2.0", "EXTINF:6.5", "4.4.3.1"),
        ("EXTINF:1.0", "EXTINF:1.1", "3.2"),
        ("#EXT-X-PART-INF:PART-TARGET=0.5\n", "", "4.4.3.7"),
        (",PART-HOLD-BACK=1.5", "", "4.4.3.8"),
        ("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.4", "4.4.3.8"),
        (",HOLD-BACK=18", ",HOLD-BACK=17", "4.4.3.8"),
        ("UNTIL=36", "UNTIL=35", "4.4.3.8"),
        ('0.5,URI="part-5.0', '0.51,URI="part-5.0', "4.4.4.9"),
        ("DURATION=0.48", "DURATION=0.42", "4.4.4.9"),
        ("#EXT-X-DISCONTINUITY\n", "", "6.2.1"),
        ('#EXT-X-MAP:URI="init-1.mp4"\n', "", "3.1.2"),
        ("08:00:14", "08:00:10", "6.2.1"),
        ("08:00:10", "08:00:11", "6.2.1"),
        ("#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:14.000Z\n", "", "6.2.1"),
        ("part-6.1", "part-6.0", "4.4.5.3"),
        ("#EXT-X-RENDITION", "#EXT-X-ENDLIST\n#EXT-X-RENDITION", "4.4.5.3"),
        ('"audio.m3u8"', '"/audio.m3u8"', "4.4.5.4"),
        ("seg-5.m4s", "seg-4.m4s", "seg-4.m4s"),
    ],
)
def test_what_is_broken_is_found(old: str, new: str, section: str) -> None:
    assert GOOD.count(old) == 1
    assert {fault.split(":")[0].split(" ")[0] for fault in rules.of_media(GOOD.replace(old, new))} >= {section}


@pytest.mark.parametrize("line", ["#EXT-X-NEW:1", "#EXT-X-TARGETDURATION:6", "#EXT-X-PART:URI=part", "", " seg-7.m4s"])
def test_what_is_no_playlist_is_not_read(line: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        read_media(f"{GOOD}{line}\n")


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ("TARGETDURATION:6", "TARGETDURATION:7", "6.2.1"),
        ("PART-TARGET=0.5", "PART-TARGET=0.6", "6.2.1"),
        ("MEDIA-SEQUENCE:4", "MEDIA-SEQUENCE:3", "6.2.2"),
        ("seg-4.m4s", "seg-4b.m4s", "6.2.1"),
        ('part-6.1.m4s"', 'part-6.9.m4s"', "4.4.5.3"),
        ("DURATION=0.48", "DURATION=0.49", "6.2.1"),
        ("08:00:08", "08:00:09", "6.2.1"),
    ],
)
def test_what_may_not_change_is_found(old: str, new: str, section: str) -> None:
    assert {fault.split(":")[0] for fault in rules.of_change(GOOD, NEXT.replace(old, new))} >= {section}


def long(minutes: int, header: str = "") -> str:
    lines = [f"#EXTINF:2.0,\nseg-{n}.m4s\n" for n in range(minutes * 30)]
    top = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:6\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=36.0\n"
    return f'{top}#EXT-X-MEDIA-SEQUENCE:0\n{header}#EXT-X-MAP:URI="i"\n' + "".join(lines)


def skipping(count: int) -> str:
    whole = long(2)
    behind = whole.index(f"#EXTINF:2.0,\nseg-{count}.m4s")
    return f"{whole[: whole.index('#EXT-X-MAP')]}#EXT-X-SKIP:SKIPPED-SEGMENTS={count}\n{whole[behind:]}"


def test_a_delta_update_skips_what_is_older_than_the_boundary_and_nothing_else() -> None:
    whole = long(2)
    assert rules.of_delta(skipping(41), whole) == []
    for wrong in (skipping(40), skipping(43), skipping(41).replace("seg-59", "seg-58b"), whole):
        assert rules.of_delta(wrong, whole) != []
    ended = whole + "#EXT-X-ENDLIST\n"
    assert rules.of_delta(ended, ended) == []
    assert rules.of_delta(skipping(41) + "#EXT-X-ENDLIST\n", ended) != []


def test_a_multivariant_playlist_is_judged_by_what_it_holds() -> None:
    held = Held(frozenset({"avc1.64001e"}), [(2.0, 50_000), (2.0, 100_000), (2.0, 50_000)], 6, (640, 360), 25.0)
    line = 'BANDWIDTH=300000,AVERAGE-BANDWIDTH=266000,CODECS="avc1.64001e",RESOLUTION=640x360,FRAME-RATE=25.000'
    text = f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:{line}\nmain.m3u8\n"
    assert bit_rates(held.lengths, 6) == (300_000, 266_666)
    assert of_master(text, {"main.m3u8": held}) == []
    for old, new in (
        ("BANDWIDTH=300000", "BANDWIDTH=290000"), ("266000", "200000"), ("avc1.64001e", "avc1.42c01e"),
        ("640x360", "640x480"), (",FRAME-RATE=25.000", ""), ("main.m3u8", "other.m3u8"),
    ):  # fmt: skip
        assert len(of_master(text.replace(old, new, 1), {"main.m3u8": held})) == 1
