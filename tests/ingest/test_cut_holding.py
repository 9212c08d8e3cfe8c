"""What a stream shows while it is cut: the holding picture, as players, the recording and a restart find it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.events import CLOCK, HeldRun, Init
from ingest.hls.window import LiveWindow, WindowSegment
from ingest.holding import loop
from ingest.holding.loop import OURS, HoldingFault, HoldingLoop
from ingest.live_facts import Resumption
from ingest.live_session import LiveSession
from ingest.nodes.tail import decode, encode, tail_of
from ingest.restoring import History, _add_holding, _add_spooled, _add_tail
from ingest.settings import IngestSettings
from ingest.spool_recovery import recover
from ingest.take import Take
from media.codecs import aac
from media.fragments import packets
from media.packet import Packet, audio_track
from tests.ingest.builders import AUDIO, AUDIO_44, VIDEO, audio, interleaved
from tests.ingest.live_house import House, lecture
from tests.kit.hls import rules


@pytest.fixture
def house(settings: IngestSettings) -> House:
    return House(replace(settings, reel_seconds=6.0))


def play(house: House, take: Take, media: list[Packet], until: float, zero: float = 0.0) -> list[Packet]:
    """Feeds what comes before `until`, ticking as the process does; `zero` is when its first came. What is left."""
    now = [packet for packet in media if packet.dts < until * packet.track.timescale]
    while now:
        at = now[0].dts / now[0].track.timescale
        some = [packet for packet in now if packet.dts < (at + 0.1) * packet.track.timescale]
        house.seconds = zero + at
        house.feed(take, some)
        house.session.release_due()
        now = now[len(some) :]
    return [packet for packet in media if packet.dts >= until * packet.track.timescale]


def wait(house: House, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        house.seconds += 0.1
        house.session.release_due()


def runs(window: LiveWindow) -> list[tuple[bool, float]]:
    """Class and holding picture by turns, each with its seconds."""
    found: list[tuple[bool, float]] = []
    for segment in window.segments:
        seconds = segment.duration / CLOCK
        if found and found[-1][0] == segment.holding:
            seconds += found.pop()[1]
        found.append((segment.holding, seconds))
    return found


def media_of(segment: WindowSegment) -> bytes:
    if segment.in_memory:
        return b"".join(part.muxed or b"" for part in segment.parts)
    assert isinstance(segment.source, HoldingLoop)
    return segment.source.media(segment.start, segment.duration)


@pytest.mark.parametrize("delay_seconds", [0.0, 5.0])
def test_the_stream_goes_on_at_its_pace_through_a_cut(settings: IngestSettings, delay_seconds: float) -> None:
    house = House(replace(settings, reel_seconds=6.0), delay_seconds=delay_seconds)
    take, left = house.take(), lecture(60, key_every=2.0)
    left = play(house, take, left, 9.3 + delay_seconds)
    window = house.session.window
    shown_at: list[float] = []
    house.session.cut()
    texts = [house.playlist()]
    for second in range(1, 100):
        at = 9.3 + delay_seconds + second / 10
        version = window.version
        left = play(house, take, left, at)
        if window.version != version:
            shown_at.append(at)
            text, delta = house.playlist(), house.session.playlists["main"].text(skip=True).decode()
            assert rules.of_version(text, texts[-1], delta) == []
            texts.append(text)
        if second == 60:
            house.session.resume()
            texts.append(house.playlist())
    left = play(house, take, left, 30 + delay_seconds)
    # The first part comes half a second early, the others as much late: less than what players hold back.
    assert max(later - earlier for earlier, later in pairwise(shown_at)) < 1.6
    ends = [segment.end for segment in window.segments]
    assert all(one.start >= end for one, end in zip(window.segments[1:], ends, strict=False)), (
        "the line never goes back"
    )
    (_, before), (held, seconds), (_, after) = runs(window)
    assert held
    assert 6 + delay_seconds <= seconds <= 8.6 + delay_seconds, "the next key frame, and the delay, come on top"
    assert before > 7
    assert after > 7
    text = house.playlist()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 2
    assert text.count("#EXT-X-MAP:") == 3
    assert "GAP" not in text
    take.ended("disconnected")
    wait(house, delay_seconds + 1)
    assert b"".join(house.reel_media()) == house.seen(), "nothing of it is recorded"


def test_what_is_shown_can_be_sought_back_to_with_the_very_bytes(house: House) -> None:
    take = house.take()
    play(house, take, lecture(5, key_every=2.0), 5)
    house.session.cut()
    wait(house, 1)
    window = house.session.window
    first = next(segment for segment in window.segments if segment.holding)
    live = {n: part.muxed for n, part in enumerate(first.parts)}
    wait(house, 20)
    assert not first.in_memory
    assert media_of(first).startswith(b"".join(part or b"" for part in live.values()))
    held = [segment for segment in window.segments if segment.holding and segment.closed]
    init = window.inits[first.init_number].muxed
    read = [packet for segment in held for packet in packets(init, media_of(segment))]
    for kind, step in (("video", 3000), ("audio", 1024)):
        times = [packet.dts for packet in read if packet.track.kind == kind]
        assert {later - earlier for earlier, later in pairwise(times)} == {step}, "one after the other, none missing"
    assert len(window.unstored) == window.closed_count - len(held), "nobody waits for it to be stored"


def restarted(house: House, take: Take | None, history: History, *, cut: bool) -> LiveSession:
    """The session in a new process, which knows what the tail and the spool tell."""
    if take is not None:
        house.threads.submit(lambda: None).result()
        _add_spooled(history, recover(take.spool.folder))
    house.session = house.open(resumption=history.resumption, cut=cut)
    history.fill(house.session.window, loop.of(house.settings), house.session.due)
    if cut or history.ends_held:
        house.session.hold()
    return house.session


@pytest.mark.parametrize("is_cut", [True, False], ids=["still cut", "resumed meanwhile"])
def test_a_restart_goes_on_with_the_holding_picture(house: House, is_cut: bool) -> None:
    take = house.take()
    play(house, take, lecture(9, key_every=2.0), 9)
    house.session.cut()
    wait(house, 5)
    noted = decode(encode(tail_of(house.session, "ingest-1", "http://127.0.0.1:1")))
    assert noted is not None
    wait(house, 0.9)
    old = house.session.window
    house.seconds += 7
    history = History()
    _add_spooled(history, recover(take.spool.folder))
    _add_tail(history, noted, lambda _: None)
    window = restarted(house, None, history, cut=is_cut).window
    assert window.segments[old.next_msn - 1].holding, "no number is given again"
    for msn, segment in enumerate(old.segments):
        same = window.segments[msn]
        assert (same.start, same.holding) == (segment.start, segment.holding)
        if segment.holding:
            assert media_of(same).startswith(media_of(segment)), "no address changes what it has"
    wait(house, 4)
    assert runs(window)[-1][0]
    assert abs(runs(window)[-1][1] - 17) < 3
    house.session.resume()
    play(house, house.take(), lecture(5, key_every=2.0), 5, zero=house.seconds)
    text = house.playlist()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 2
    assert [held for held, _ in runs(window)] == [False, True, False]


def test_a_restart_that_finds_no_note_makes_the_same_of_what_the_spool_says(house: House) -> None:
    take = house.take()
    left = play(house, take, lecture(60, key_every=2.0), 9)
    house.session.cut()
    left = play(house, take, left, 15)
    house.session.resume()
    left = play(house, take, left, 25)
    house.session.cut()
    play(house, take, left, 33)
    old = house.session.window
    house.seconds += 7
    house.threads.submit(lambda: None).result()
    found = recover(take.spool.folder)
    history = History()
    _add_spooled(history, found)
    _add_holding(history, found)
    window = restarted(house, None, history, cut=True).window
    assert window.segments[old.next_msn - 1].holding, "no number is given again"
    assert not any(segment.source is None for segment in window.segments[: old.closed_count])
    for msn, segment in enumerate(old.segments):
        same = window.segments[msn]
        assert (same.start, same.holding) == (segment.start, segment.holding)
        if segment.holding:
            assert media_of(same).startswith(media_of(segment)), "no address changes what it has"


def test_numbers_after_a_cut_are_found_again_in_the_spool(house: House) -> None:
    take = house.take()
    left = play(house, take, lecture(40, key_every=2.0), 5)
    house.session.cut()
    left = play(house, take, left, 12)
    house.session.resume()
    play(house, take, left, 20)
    house.threads.submit(lambda: None).result()
    found = recover(take.spool.folder)
    window = house.session.window
    public = [segment for evidence, _, segment in found.unplanned if not evidence]
    planned = [segment for job in house.reels if not job.plan.evidence for segment in job.plan.segments]
    for segment in [*planned, *public]:
        shown = window.segments[segment.msn]
        assert (shown.start, shown.holding) == (segment.start, False)
        assert segment.held == window.held_before(segment.msn)
    held = [segment.held for segment in [*planned, *public] if segment.held]
    assert len({*held}) == 1
    history = History()
    _add_spooled(history, found)
    again = LiveWindow(origin=window.origin, part_target_seconds=0.5)
    history.fill(again, loop.of(house.settings))
    for one in window.segments[: again.next_msn]:
        if one.holding:
            assert media_of(again.segments[one.msn]) == media_of(one)
    assert found.is_cut is False


def test_a_run_whose_clip_was_changed_keeps_its_numbers_and_its_time(house: House) -> None:
    behind = WindowSegment(7, 3, 1, 30 * CLOCK, discontinuity=False, duration=CLOCK)
    history = History(segments={7: behind}, held={4: HeldRun(3, 9 * CLOCK, 15 * CLOCK)})
    window = house.session.window
    history.fill(window, loop.of(house.settings))
    assert [segment.start for segment in window.segments[4:7]] == [9 * CLOCK, 14 * CLOCK, 19 * CLOCK]
    assert [segment.discontinuity for segment in window.segments[4:]] == [True, False, False, True]
    assert window.held_before(7) == history.held[4]


def test_a_class_of_sound_alone_is_given_silence_alone(house: House) -> None:
    take = house.take()
    play(house, take, interleaved(audio(6)), 6)
    house.session.cut()
    wait(house, 6)
    window = house.session.window
    (held, *_) = [segment for segment in window.segments if segment.holding]
    assert [track.kind for track in window.inits[held.init_number].tracks] == ["audio"]
    assert runs(window)[1][1] >= 5


def test_a_session_that_is_cut_from_its_start_shows_the_holding_picture_at_once(settings: IngestSettings) -> None:
    house = House(settings)
    house.session = house.open(resumption=Resumption(), cut=True)
    house.session.hold()
    take = house.take()
    left = play(house, take, lecture(20, key_every=2.0), 5)
    assert [held for held, _ in runs(house.session.window)] == [True]
    assert house.session.window.newest_init is None
    house.session.resume()
    play(house, take, left, 12)
    assert house.playlist().count("#EXT-X-DISCONTINUITY\n") == 1
    assert [held for held, _ in runs(house.session.window)] == [True, False]


def test_the_end_ends_the_holding_picture(house: House) -> None:
    play(house, house.take(), lecture(5, key_every=2.0), 5)
    house.session.cut()
    wait(house, 2.7)
    house.session.end("done", "", "")
    wait(house, 3)
    text = house.playlist()
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert 2 < runs(house.session.window)[-1][1] < 3


@pytest.mark.parametrize(
    ("clip", "why"),
    [
        (b"", "cannot be read|must hold"),
        (b"\x00\x00\x00\x08free", "cannot be read|must hold"),
        (OURS.read_bytes()[:400], "cannot be read|must hold"),
    ],
)
def test_a_clip_that_cannot_be_used_is_refused_at_the_start(
    tmp_path: Path, settings: IngestSettings, clip: bytes, why: str
) -> None:
    path = tmp_path / "clip.mp4"
    with pytest.raises(HoldingFault, match="cannot be read"):
        loop.of(replace(settings, holding_clip=path))
    path.write_bytes(clip)
    with pytest.raises(HoldingFault, match=why):
        loop.of(replace(settings, holding_clip=path))


@pytest.mark.parametrize("part_seconds", [0.2, 0.34, 0.5, 1.0])
def test_its_parts_are_the_houses(settings: IngestSettings, part_seconds: float) -> None:
    told = replace(settings, part_seconds=part_seconds)
    for tracks in ((VIDEO, AUDIO), (VIDEO,), (AUDIO,), (VIDEO, AUDIO_44)):
        made = loop.of(told).loop(Init(1, tracks, b"", None))
        parts = made.parts(12345)
        assert sum(part.duration for part in parts) == made.duration
        assert all(0.8 * part_seconds < part.duration / CLOCK <= 1.1 * part_seconds for part in parts[:-1])
        assert [track.kind for track in made.init.tracks] == [track.kind for track in tracks]
        assert all(part.audio is not None for part in parts) == any(track.kind == "audio" for track in tracks)


def test_its_silence_is_as_the_class_sounds(settings: IngestSettings) -> None:
    """So that a player which passes over a second init keeps its clock and its decoder."""
    mono = audio_track("aac", aac.build_config(44_100, 1))
    made = loop.of(settings).loop(Init(1, (VIDEO, mono), b"", None))
    assert made.init.tracks[1] == mono
    opus = replace(AUDIO, codec="opus")
    assert loop.of(settings).loop(Init(1, (VIDEO, opus), b"", None)).init == loop.of(settings).usual.init
    read = packets(made.init.muxed, b"".join(made.media(n * made.duration, made.duration) for n in range(9)))
    times = [packet.dts for packet in read if packet.track.kind == "audio"]
    assert {later - earlier for earlier, later in pairwise(times)} == {1024}
