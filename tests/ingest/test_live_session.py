"""A live session fed by hand: takes, cuts, holes, restarts. No sockets: packets in, playlists, reels and files out."""

import errno
import os
from dataclasses import replace

import pytest

from ingest.events import CLOCK, FIRST_HOLDING_INIT, Part, SpooledPart
from ingest.hls.sources import SpoolSource, StoredSource
from ingest.settings import IngestSettings
from ingest.spool_recovery import recover
from tests.ingest.live_house import House, lecture


@pytest.fixture
def house(settings: IngestSettings) -> House:
    return House(replace(settings, reel_seconds=6.0))


def test_reels_hold_the_very_bytes_that_were_live(house: House) -> None:
    take = house.take()
    house.feed(take, lecture(21))
    take.ended("disconnected")
    assert [round(job.plan.duration / CLOCK) for job in house.reels] == [6, 6, 6, 3]
    assert [job.plan.number for job in house.reels] == [1, 2, 3, 4]
    assert b"".join(house.reel_media()) == house.seen()
    assert house.ended == [("disconnected", None)]


def test_an_encoder_that_comes_back_goes_on_in_the_same_recording(house: House) -> None:
    take = house.take()
    house.feed(take, lecture(5))
    take.ended("disconnected")
    assert "#EXT-X-ENDLIST" not in house.playlist(), "an end is said, never guessed"
    house.seconds += 7
    house.feed(house.take(), lecture(5))
    text = house.playlist()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert text.count("#EXT-X-MAP:") == 2
    before, after = text.split("#EXT-X-DISCONTINUITY\n")
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:04.500Z" in before
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-01-05T08:00:11.9" in after, "the clock on the wall, not the media's length"
    msns = [segment.msn for job in house.reels for segment in job.plan.segments]
    assert msns == list(range(len(msns)))


def test_a_cut_sends_nothing_more_and_keeps_it_as_evidence(house: House) -> None:
    take = house.take()
    packets = lecture(24, key_every=2.0)
    third = len(packets) // 3
    house.feed(take, packets[:third])
    public = house.seen()
    house.session.cut()
    house.session.cut()
    closed_at = house.playlist()
    house.feed(take, packets[third : 2 * third])
    assert house.playlist() == closed_at
    assert house.seen() == public
    house.session.resume()
    house.feed(take, packets[2 * third :])
    take.ended("unpublished")
    text = house.playlist()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert "GAP" not in text
    evidence = b"".join(house.reel_media(evidence=True))
    everything = b"".join(house.reel_media())
    assert everything == house.seen()
    assert everything.startswith(public)
    assert len(evidence) > 7 * 12_000 // 10
    for job in house.reels:
        assert ("/evidence/" in job.plan.key) == job.plan.evidence
    written = sum(path.stat().st_size for path in take.spool.folder.glob("*.m4s"))
    assert len(evidence) + len(everything) == written, "what came in is one or the other"


def test_a_crash_during_a_cut_leaves_evidence_evidence(house: House) -> None:
    take = house.take()
    packets = lecture(12, key_every=2.0)
    house.feed(take, packets[: len(packets) // 2])
    house.session.cut()
    shown = house.of_class()[-1]
    house.feed(take, packets[len(packets) // 2 :])
    house.threads.submit(lambda: None).result()
    found = recover(take.spool.folder)
    public = [segment for evidence, _, segment in found.unplanned if not evidence]
    assert [segment.msn for segment in public] == list(range(shown.msn + 1))
    assert sum(segment.source.length for segment in public) == sum(one.length for one in house.of_class())


def test_a_delay_holds_back_and_a_cut_within_it_shows_nothing_of_it(settings: IngestSettings) -> None:
    house = House(replace(settings, reel_seconds=6.0), delay_seconds=10.0)
    take = house.take()
    house.feed(take, lecture(14, key_every=2.0))
    house.session.release_due()
    shown = house.seen_seconds()
    assert 3.0 <= shown <= 4.0
    house.session.cut()
    house.seconds += 100
    house.session.release_due()
    assert house.seen_seconds() == shown
    take.ended("disconnected")
    house.threads.submit(lambda: None).result()
    found = recover(take.spool.folder)
    assert sum(s.duration for evidence, _, s in found.unplanned if not evidence) / CLOCK <= shown
    public, evidence = house.reel_media(), house.reel_media(evidence=True)
    assert b"".join(public) == house.seen()
    written = sum(path.stat().st_size for path in take.spool.folder.glob("*.m4s"))
    assert len(b"".join(public)) + len(b"".join(evidence)) == written


def test_the_end_of_a_delayed_session_comes_when_all_has_been_shown(settings: IngestSettings) -> None:
    house = House(replace(settings, reel_seconds=6.0), delay_seconds=10.0)
    house.feed(house.take(), lecture(14, key_every=2.0))
    house.session.release_due()
    shown = house.seen_seconds()
    house.session.end("done", "NetStream.Publish.Denied", "This session is over.")
    house.session.end("again", "", "")
    assert house.ended == [("done", None)]
    assert (house.session.ended, house.finished) == (False, [])
    assert house.seen_seconds() == shown
    house.seconds += 5
    house.session.release_due()
    assert "#EXT-X-ENDLIST" not in house.playlist()
    house.seconds += 6
    house.session.release_due()
    assert house.playlist().endswith("#EXT-X-ENDLIST\n")
    assert house.finished == [house.seconds]
    assert 13.9 <= house.seen_seconds() <= 14.1
    assert b"".join(house.reel_media()) == house.seen()


def test_what_an_ended_session_still_holds_can_be_cut(settings: IngestSettings) -> None:
    house = House(settings, delay_seconds=10.0)
    house.feed(house.take(), lecture(14))
    house.session.release_due()
    seen = house.seen()
    house.session.end("done", "", "")
    house.session.cut()
    house.seconds += 60
    house.session.release_due()
    assert house.seen() == seen
    assert house.finished == [house.seconds]
    assert len(b"".join(house.reel_media(evidence=True))) > len(seen)


def test_a_session_that_another_server_has_lets_nothing_more_out(settings: IngestSettings) -> None:
    house = House(settings, delay_seconds=10.0)
    house.feed(house.take(), lecture(14))
    house.session.release_due()
    seen = house.seen()
    house.session.abandon("owner_lost", "", "")
    house.seconds += 60
    house.session.release_due()
    assert (house.seen(), house.finished) == (seen, []), "its recording is not this server's to complete"
    assert house.reel_media(evidence=True) != []


def test_a_crash_shows_nothing_that_was_still_held(settings: IngestSettings) -> None:
    """Whether a cut was to stop it nobody can tell any more: it is kept, and not shown."""
    house = House(settings, delay_seconds=5.0)
    take = house.take()
    house.feed(take, lecture(12, key_every=2.0))
    house.threads.submit(lambda: None).result()
    found = recover(take.spool.folder)
    public = sum(s.source.length for evidence, _, s in found.unplanned if not evidence)
    held = sum(s.source.length for evidence, _, s in found.unplanned if evidence)
    assert public == len(house.seen()) > 0
    written = sum(path.stat().st_size for path in take.spool.folder.glob("*.m4s"))
    assert public + held == written
    assert held > written // 3


def test_a_reviewed_session_shows_nothing_until_it_is_known_that_a_cut_would_be_heard(settings: IngestSettings) -> None:
    house = House(settings, delay_seconds=5.0, reviewed=True)
    house.feed(house.take(), lecture(12))
    house.session.release_due()
    assert house.seen() == b""
    assert house.session.window.inits == {}
    house.session.gate.trust(house.seconds + 2)
    house.session.release_due()
    shown = house.seen()
    assert shown
    house.seconds += 2.1
    house.session.release_due()
    assert house.seen() == shown
    house.session.gate.trust(house.seconds + 2)
    house.session.release_due()
    assert len(house.seen()) > len(shown)


def frozen_for_minutes(settings: IngestSettings) -> House:
    """Ten seconds are trusted, then nobody who could cut is heard: the audience is in the middle of a segment."""
    house = House(settings, delay_seconds=5.0, reviewed=True)
    house.session.gate.trust(10.3)
    house.feed(house.take(), lecture(120))
    return house


def test_a_gate_frozen_for_minutes_holds_what_is_new_in_memory_and_loses_nothing(settings: IngestSettings) -> None:
    house = frozen_for_minutes(settings)
    take, gate = house.session.take, house.session.gate
    assert take is not None
    shown = house.seen()
    held = [event for _, event in gate._held if isinstance(event, Part)]
    whole = sum(event.length if isinstance(event, SpooledPart) else len(event.muxed) for event in held)
    assert 0 < sum(len(event.muxed) for event in held) < whole * 0.4
    gate.trust(house.seconds + 2)
    house.session.release_due()
    take.ended("disconnected")
    house.seconds += 5
    gate.trust(house.seconds)
    house.session.release_due()
    written = b"".join(path.read_bytes() for path in sorted(take.spool.folder.glob("*.m4s")))
    assert house.seen() == written, "in order, each once, none missing"
    assert written.startswith(shown)
    assert b"".join(house.reel_media()) == written
    window = house.session.window
    assert all(one.length == one.source.length for one in window.segments if isinstance(one.source, SpoolSource))
    assert [one.msn for one in window.segments if one.in_memory] == [one.msn for one in window.segments[-3:]]


def test_what_a_gate_held_frozen_for_minutes_is_whole_evidence_when_it_is_cut(settings: IngestSettings) -> None:
    house = frozen_for_minutes(settings)
    take, shown = house.session.take, house.seen()
    assert take is not None
    house.session.cut()
    take.ended("disconnected")
    written = b"".join(path.read_bytes() for path in sorted(take.spool.folder.glob("*.m4s")))
    assert house.seen() == shown
    assert shown + b"".join(house.reel_media(evidence=True)) == written


def test_the_init_of_what_nobody_may_see_is_not_shown_either(house: House) -> None:
    first = house.take()
    house.feed(first, lecture(3))
    house.session.cut()
    first.ended("disconnected")
    packets = lecture(9)
    second = house.take()
    house.feed(second, packets[: len(packets) // 2])
    window = house.session.window
    assert [number for number in window.inits if number < FIRST_HOLDING_INIT] == [1]
    house.session.resume()
    house.feed(second, packets[len(packets) // 2 :])
    assert [number for number in window.inits if number < FIRST_HOLDING_INIT] == [1, 2]


def test_a_delayed_sessions_reels_wait_for_their_release(settings: IngestSettings) -> None:
    house = House(replace(settings, reel_seconds=6.0), delay_seconds=30.0)
    take = house.take()
    house.feed(take, lecture(8))
    take.ended("disconnected")
    assert house.reels == []
    house.seconds += 40
    house.session.release_due()
    assert [round(job.plan.duration / CLOCK) for job in house.reels] == [6, 2]


def test_the_end_is_said_to_everyone(house: House) -> None:
    take = house.take()
    house.feed(take, lecture(5))
    house.session.end("done", "NetStream.Publish.Denied", "This session is over.")
    house.session.end("again", "", "")
    assert house.playlist().endswith("#EXT-X-ENDLIST\n")
    assert house.closed == ["NetStream.Publish.Denied"]
    assert house.ended == [("done", None)]
    take.packet(lecture(1)[0])
    assert b"".join(house.reel_media()) == house.seen()


def test_a_full_disk_makes_a_hole_in_the_recording_and_none_in_the_live(house: House) -> None:
    take = house.take()
    packets = lecture(24, key_every=2.0)
    quarter = len(packets) // 4
    house.feed(take, packets[:quarter])
    house.full = True
    house.feed(take, packets[quarter : 2 * quarter])
    assert house.session.problem == ("disk_full", {})
    assert not house.session.recording.endangered, "it has no room, and no fault"
    house.full = False
    house.feed(take, packets[2 * quarter :])
    take.ended("disconnected")
    assert house.session.recording.gaps == 1
    live = house.seen_seconds()
    assert live > 23
    recorded = sum(job.plan.duration for job in house.reels) / CLOCK
    assert 14 <= recorded <= 19
    assert house.playlist().count("#EXT-X-GAP\n") >= 2
    for job in house.reels:
        starts = [segment.start for segment in job.plan.segments]
        ends = [segment.start + segment.duration for segment in job.plan.segments]
        assert starts[1:] == ends[:-1], "a reel has no hole in it"


def test_a_disk_that_fails_does_not_stop_the_live(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    take = house.take()
    packets = lecture(12)
    house.feed(take, packets[: len(packets) // 2])
    real = os.write

    def failing(descriptor: int, data: bytes) -> int:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "write", failing)
    house.feed(take, packets[len(packets) // 2 :])
    monkeypatch.setattr(os, "write", real)
    take.ended("disconnected")
    assert house.seen_seconds() > 11


def test_memory_holds_the_newest_segments_alone(house: House) -> None:
    house.feed(house.take(), lecture(60))
    window = house.session.window
    assert sum(1 for segment in window.segments if segment.in_memory) <= house.settings.segments_in_memory + 1
    assert len(house.session.recording._places) == 0


def test_freed_reels_are_read_from_the_store(house: House) -> None:
    take = house.take()
    house.feed(take, lecture(13))
    job = house.reels[0]
    house.session.freed(job)
    sources = [segment.source for segment in house.session.window.segments[: len(job.plan.segments)]]
    offset = 0
    for source, planned in zip(sources, job.plan.segments, strict=True):
        assert source == StoredSource(job.plan.key, offset, planned.source.length)
        offset += planned.source.length


def test_what_cannot_be_used_is_said(house: House) -> None:
    take = house.take()
    take.unsupported("mp4v", "only H.264, H.265 and AV1")
    assert house.session.problem == ("unsupported_codec", {"codec": "mp4v"})
    assert house.ended == [("only H.264, H.265 and AV1", "unsupported_codec")]
    assert house.session.take is None
