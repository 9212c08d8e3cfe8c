"""The report of a captured recording: made of its rows, the same for the same rows, and written anew for what comes
late.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from domain.facts import EvidenceStored, RecordingStored, ReelStored, TakeEnded
from domain.states import RecordingMove, SessionMove
from retention.reactions import REPORT_JOB, evidence_stored, recording_stored, reel_stored, take_ended
from retention.report import Row, Stretch, gaps, report
from retention.report_writing import write_report
from storage.catalogue import recordings, reels, retention, sessions, takes
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Catalogue, Transaction
from storage.objects import keys
from storage.objects.faults import ObjectMissing
from storage.objects.store import ObjectStore
from tests.kit.captured import Clip, capture, clip, withhold
from tests.storage.catalogue import builders
from tests.storage.catalogue.builders import NOON

pytestmark = pytest.mark.anyio

FOUND = {
    "frames": {"video": 200, "audio": 377},
    "dropped": {},
    "missing": 0,
    "malformed": 0,
    "disk_gaps": 0,
    "unrecorded": {"frames": {}, "stretches": []},
    "ends_at_ms": 8000,
    "repairs": {"jump": 1},
    "repaired": [{"kind": "jump", "track": "video", "at_ms": 1200, "ticks": -90_000}],
}


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Eight seconds in two reels."""
    return clip(tmp_path_factory.mktemp("clip") / "small.mp4", size="160x90", rate="100k")


Captured = Callable[[Transaction], Awaitable[tuple[Session, Take]]]


@pytest.fixture
def captured(object_store: ObjectStore, small_clip: Clip) -> Captured:
    """A take whose reels are in the store, and its session."""

    async def one(tx: Transaction) -> tuple[Session, Take]:
        session = await builders.session(tx, await builders.place(tx))
        take = await builders.take(tx, session)
        await capture(tx, object_store, take, small_clip)
        return session, take

    return one


async def end(tx: Transaction, session: Session, take: Take) -> UUID:
    assert take.recording_id is not None
    await takes.end(tx, take.id, NOON + timedelta(seconds=8), "unpublished", findings=FOUND)
    await sessions.move(tx, await sessions.lock(tx, session.id), SessionMove.end, NOON, "button")
    return (await recordings.capture_ended(tx, take.recording_id, NOON)).id


async def test_it_says_who_sent_what_and_what_is_stored_of_it(catalogue: Catalogue, captured: Captured) -> None:
    async with catalogue.transaction() as tx:
        session, take = await captured(tx)
        recording_id = await end(tx, session, take)
        said = await report(tx, await recordings.get(tx, recording_id))
        placed = await reels.of_recording(tx, recording_id)
    (one,) = said["takes"]
    assert (one["encoder"], one["protocol"], one["end_reason"]) == ("test", "rtmp", "unpublished")
    assert one["findings"] == FOUND
    assert one["stored"]["video"] == 200
    assert [reel["sha256"] for reel in said["reels"]] == [row.reel.sha256.hex() for row in placed]
    assert [init["sha256"] for init in said["inits"]] == [placed[0].init.sha256.hex()]
    assert [[track["frames"] for track in reel["tracks"] if track["kind"] == "video"] for reel in said["reels"]] == [
        [100],
        [100],
    ]
    assert said["gaps"] == []


async def test_the_same_rows_give_the_same_bytes(
    catalogue: Catalogue, object_store: ObjectStore, captured: Captured
) -> None:
    async with catalogue.transaction() as tx:
        session, take = await captured(tx)
        recording_id = await end(tx, session, take)
    written = set()
    for _ in range(2):
        assert await write_report(catalogue, object_store, recording_id)
        written.add(object_store.read(keys.report(recording_id)))
    assert len(written) == 1


async def test_there_is_none_before_the_recording_is_whole_or_after_its_purge_began(
    catalogue: Catalogue, object_store: ObjectStore, captured: Captured
) -> None:
    async with catalogue.transaction() as tx:
        session, take = await captured(tx)
    assert take.recording_id is not None
    assert not await write_report(catalogue, object_store, take.recording_id)
    async with catalogue.transaction() as tx:
        await end(tx, session, take)
        recording = await recordings.lock(tx, take.recording_id)
        await retention.mark(tx, recording, "ordered: 误录", NOON)
        await recordings.move(tx, recording, RecordingMove.purge)
    assert not await write_report(catalogue, object_store, take.recording_id)
    with pytest.raises(ObjectMissing):
        object_store.read(keys.report(take.recording_id))


async def test_it_is_ordered_when_all_is_stored_and_again_for_what_comes_late(
    catalogue: Catalogue, captured: Captured
) -> None:
    async with catalogue.transaction() as tx:
        session, take = await captured(tx)
        assert take.recording_id is not None
        placed = await reels.of_recording(tx, take.recording_id)
        late = [
            await reel_stored(tx, ReelStored(recording_id=take.recording_id, reel_id=placed[0].reel.id), NOON),
            await take_ended(tx, TakeEnded(session_id=session.id, take_id=take.id), NOON),
        ]
        assert late == [(), ()]
        recording_id = await end(tx, session, take)
        orders = [
            *await recording_stored(tx, RecordingStored(recording_id=recording_id), NOON),
            *await reel_stored(tx, ReelStored(recording_id=recording_id, reel_id=placed[0].reel.id), NOON),
            *await take_ended(tx, TakeEnded(session_id=session.id, take_id=take.id), NOON),
        ]
    assert [order.job for order in orders] == [REPORT_JOB] * 3
    assert len({order.job_id for order in orders}) == 3
    assert all(order.arguments == (str(recording_id),) for order in orders)


async def test_what_a_cut_kept_is_a_gap_with_its_reason_and_no_name(
    catalogue: Catalogue, captured: Captured, object_store: ObjectStore, small_clip: Clip
) -> None:
    async with catalogue.transaction() as tx:
        session, take = await captured(tx)
        recording_id = await end(tx, session, take)
        first, second = await reels.of_recording(tx, recording_id)
        kept = await withhold(tx, object_store, take, second.reel)
        late = await evidence_stored(tx, EvidenceStored(recording_id=recording_id, evidence_reel_id=kept.id), NOON)
        said = await report(tx, await recordings.get(tx, recording_id))
    (gap,) = said["gaps"]
    assert (gap["after_reel"], gap["before_reel"]) == (first.reel.number, None)
    assert (gap["at_ms"], gap["duration_ms"], gap["reasons"]) == (4000, 4000, ["withheld"])
    (one,) = said["takes"]
    assert one["withheld_ms"] == 4000
    assert one["withheld"] == {track["kind"]: track["frames"] for track in second.reel.tracks or ()}
    assert "evidence" not in json.dumps(said)
    assert [order.job for order in late] == [REPORT_JOB], "it came when the report was written already"


def reel(number: int, start: int, **changes: object) -> Row:
    """Ten seconds of both tracks from second `start` on, in five segments."""
    tracks = [
        {"kind": kind, "timescale": scale, "start": start * scale, "end": (start + 10) * scale, "frames": 1}
        for kind, scale in (("video", 90_000), ("audio", 48_000))
    ]
    row = {"number": number, "take_id": "a", "init": "a", "first_msn": 5 * (number - 1), "segments": 5}
    row["held_segments"] = 0
    return row | {"starts_at_ms": start * 1000, "duration_ms": 10_000, "tracks": tracks} | changes


@pytest.mark.parametrize(
    ("after", "reasons", "seconds"),
    [
        ({}, None, 0),
        ({"take_id": "b", "init": "b"}, ["encoder_away"], 7),
        ({"init": "b"}, ["tracks_changed"], 2),
        ({"first_msn": 8}, ["not_recorded"], 6),
        ({"first_msn": 8, "held_segments": 3}, ["pause"], 6),
        ({"first_msn": 9, "held_segments": 3}, ["not_recorded"], 8),
        ({"first_msn": 8, "take_id": "b"}, ["not_recorded", "encoder_away"], 60),
        ({}, ["pause"], 3),
    ],
)
def test_a_gap_has_its_length_and_reasons(after: Row, reasons: list[str] | None, seconds: int) -> None:
    found = gaps([reel(1, 0), reel(2, 10 + seconds, **after)])
    if reasons is None:
        assert found == []
        return
    ticks = {"video": seconds * 90_000, "audio": seconds * 90_000}
    assert found == [
        {"after_reel": 1, "before_reel": 2, "at_ms": 10_000, "duration_ms": seconds * 1000, "ticks": ticks,
         "reasons": reasons}
    ]  # fmt: skip


def test_what_is_missing_before_the_first_reel_and_of_uncounted_ones() -> None:
    assert gaps([]) == gaps([reel(1, 0)]) == []
    (gap,) = gaps([reel(2, 30)])
    assert (gap["after_reel"], gap["reasons"]) == (None, ["not_recorded"])
    assert (gap["at_ms"], gap["duration_ms"]) == (0, 30_000)
    assert gaps([reel(1, 0, tracks=None), reel(2, 10, tracks=None)]) == []


def take(ends_at_ms: int, *unrecorded: tuple[int, int]) -> Row:
    stretches = [{"at_ms": at_ms, "duration_ms": duration_ms} for at_ms, duration_ms in unrecorded]
    return {"id": "a", "findings": {"ends_at_ms": ends_at_ms, "unrecorded": {"frames": {}, "stretches": stretches}}}


def test_what_is_missing_behind_the_last_reel() -> None:
    rows = [reel(1, 0)]
    assert gaps(rows, [take(10_900)]) == [], "tracks do not end together"
    assert gaps(rows, [{"id": "a", "findings": None}]) == []
    (gap,) = gaps(rows, [take(25_000, (10_000, 15_000))])
    assert gap == {
        "after_reel": 1, "before_reel": None, "at_ms": 10_000, "duration_ms": 15_000, "ticks": {},
        "reasons": ["not_recorded"],
    }  # fmt: skip
    (nothing_stored,) = gaps([], [take(25_000, (0, 25_000))])
    assert (nothing_stored["at_ms"], nothing_stored["duration_ms"]) == (0, 25_000)
    (both,) = gaps(rows, [take(25_000, (10_000, 5_000))], [Stretch("a", 15_000, 25_000)])
    assert both["reasons"] == ["not_recorded", "withheld"]


def test_a_hole_that_the_disk_made_is_no_pause_of_the_encoder() -> None:
    """The rest of one segment is not there; the next has the next number."""
    (gap,) = gaps([reel(1, 0), reel(2, 11)], [take(21_000, (10_000, 1000))])
    assert (gap["at_ms"], gap["duration_ms"], gap["reasons"]) == (10_000, 1000, ["not_recorded"])


def test_one_track_alone_that_does_not_go_on_is_told() -> None:
    second = reel(2, 10)
    second["tracks"][1]["start"] += 480
    (gap,) = gaps([reel(1, 0), second])
    assert gap["ticks"] == {"video": 0, "audio": 900}
    assert (gap["duration_ms"], gap["reasons"]) == (0, ["pause"])
