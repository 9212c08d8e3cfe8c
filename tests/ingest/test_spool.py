"""The spool and what a crash leaves of it: files are cut at every byte, as a machine that dies would cut them."""

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest
from structlog.testing import capture_logs

import ingest.durable
import ingest.spool
from ingest.cuts import cut_rule
from ingest.events import Event, HeldRun, Init, Part, SegmentClosed, SegmentOpened
from ingest.letting_go import remove_if_done
from ingest.packager import Packager
from ingest.reel_plan import PlannedSegment, ReelPlan, TakeAbout
from ingest.settings import IngestSettings
from ingest.spool import INDEX, TakeSpool, segment_name
from ingest.spool_index import CutRecord, NumberedRecord, PartRecord, line, read
from ingest.spool_recovery import RecoveredTake, recover, take_folders
from storage.objects.store import ObjectStore
from tests.ingest.builders import audio, interleaved, video
from tests.ingest.live_house import House, lecture


def about(**changes: object) -> TakeAbout:
    facts: dict[str, object] = {
        "session_id": uuid4(),
        "recording_id": uuid4(),
        "take_id": uuid4(),
        "take_number": 1,
        "node": "ingest-1",
        "origin": datetime(2026, 1, 5, tzinfo=UTC),
        "first_msn": 0,
    }
    return TakeAbout(**(facts | changes))  # type: ignore[arg-type]


def events(seconds: float = 5) -> list[Event]:
    packager = Packager(cut_rule(0.5, 2.0, 6))
    made = [event for packet in interleaved(video(seconds), audio(seconds)) for event in packager.packet(packet)]
    return made + packager.flush()


def write(spool: TakeSpool, made: list[Event], *, seal: bool = True) -> dict[tuple[int, int], PartRecord]:
    """Writes events as a live session does; where each part went."""
    places: dict[tuple[int, int], PartRecord] = {}
    opened: SegmentOpened | None = None
    for event in made:
        match event:
            case Init():
                spool.write_init(event)()
            case SegmentOpened():
                opened = event
            case Part():
                assert opened is not None
                places[event.serial, event.index] = spool.append(
                    event, init_number=opened.init_number, discontinuity=opened.discontinuity
                )
            case SegmentClosed():
                flush = spool.seal()
                if seal:
                    flush()
    return places


def recovered(take: RecoveredTake) -> bytes:
    """The media of everything recovered, in order."""
    return b"".join(
        (take.spool.folder / segment.source.name).read_bytes()[segment.source.offset :][: segment.source.length]
        for _, _, segment in take.unplanned
    )


def muxed(made: list[Event]) -> list[bytes]:
    return [event.muxed for event in made if isinstance(event, Part)]


def test_what_was_written_is_found_whole(tmp_path: Path) -> None:
    made = events()
    spool = TakeSpool.create(tmp_path, about(first_msn=7))
    write(spool, made)
    spool.close()
    (folder,) = take_folders(tmp_path)
    take = recover(folder)
    assert take.spool.about == spool.about
    assert recovered(take) == b"".join(muxed(made))
    assert [segment.msn for _, _, segment in take.unplanned] == [7, 8, 9]
    assert [segment.duration for _, _, segment in take.unplanned] == [180_000, 180_000, 90_000]
    assert (take.next_serial, take.next_msn, take.next_init_number, take.end) == (3, 10, 2, 450_000)
    assert all(segment.independent for _, _, segment in take.unplanned)


def crashed(tmp_path: Path) -> tuple[Path, list[bytes], PartRecord]:
    """A take whose process died within its third segment: its folder, its parts, and where the last one lies."""
    made = events()
    spool = TakeSpool.create(tmp_path / "origin", about())
    places = write(spool, made[:-1])
    spool.close()
    return spool.folder, muxed(made), list(places.values())[-1]


@pytest.mark.long
def test_a_file_torn_at_any_byte_of_its_last_part_loses_that_part_alone(tmp_path: Path) -> None:
    folder, parts, last = crashed(tmp_path)
    for length in range(last.length):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        os.truncate(copy / segment_name(last.serial), last.offset + length)
        take = recover(copy)
        assert recovered(take) == b"".join(parts[:-1])
        assert (copy / segment_name(last.serial)).stat().st_size == last.offset
        shutil.rmtree(copy)


def test_an_index_torn_at_any_byte_of_its_last_line_loses_that_part_alone(tmp_path: Path) -> None:
    folder, parts, last = crashed(tmp_path)
    index = (folder / INDEX).read_bytes()
    last_line = len(index.splitlines(keepends=True)[-1])
    for length in range(1, last_line + 1):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        os.truncate(copy / INDEX, len(index) - length)
        take = recover(copy)
        assert recovered(take) == b"".join(parts[:-1])
        assert (copy / segment_name(last.serial)).stat().st_size == last.offset
        shutil.rmtree(copy)


def test_pages_that_never_reached_the_disk_are_seen(tmp_path: Path) -> None:
    """After a power cut a file may have its length but not its bytes."""
    folder, parts, last = crashed(tmp_path)
    with (folder / segment_name(last.serial)).open("r+b") as file:
        file.seek(last.offset)
        file.write(bytes(last.length))
    assert recovered(recover(folder)) == b"".join(parts[:-1])


def test_recovery_twice_is_recovery_once(tmp_path: Path) -> None:
    folder, parts, last = crashed(tmp_path)
    os.truncate(folder / segment_name(last.serial), last.offset + 5)
    assert recovered(recover(folder)) == recovered(recover(folder)) == b"".join(parts[:-1])


def test_what_a_cut_kept_back_is_found_as_evidence(tmp_path: Path) -> None:
    made = events(8)
    spool = TakeSpool.create(tmp_path, about())
    write(spool, made)
    spool.mark(CutRecord(1, 2))
    spool.mark(NumberedRecord(3, 9, HeldRun(7, 450_000, 900_000)))
    take = recover(spool.folder)
    found = [(evidence, segment.msn, segment.source) for evidence, _, segment in take.unplanned]
    assert [(evidence, msn, place.name) for evidence, msn, place in found] == [
        (False, 0, segment_name(0)),
        (False, 1, segment_name(1)),
        (True, -1, segment_name(1)),
        (True, -1, segment_name(2)),
        (False, 9, segment_name(3)),
    ]
    assert found[2][2].offset == found[1][2].length


def test_a_write_that_fails_leaves_nothing_torn_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up in the middle of a part, and has room again."""
    made = events()
    spool = TakeSpool.create(tmp_path, about())
    kept = made[:4]
    write(spool, kept)
    real = os.write
    full = OSError(errno.ENOSPC, "no space")
    for failing_call in (1, 2):
        calls = 0

        def short(descriptor: int, data: bytes, failing_call: int = failing_call) -> int:
            nonlocal calls
            calls += 1
            if calls < failing_call:
                return real(descriptor, data)
            real(descriptor, bytes(data)[:10])
            raise full

        monkeypatch.setattr(os, "write", short)
        part = next(event for event in made[4:] if isinstance(event, Part))
        with pytest.raises(OSError, match="no space"):
            spool.append(part, init_number=1, discontinuity=False)
        monkeypatch.setattr(os, "write", real)
    rest = made[4:]
    for event in rest:
        if isinstance(event, Part):
            spool.append(event, init_number=1, discontinuity=False)
        elif isinstance(event, SegmentClosed):
            spool.seal()()
    spool.close()
    assert recovered(recover(spool.folder)) == b"".join(muxed(made))


def reel(spool: TakeSpool, number: int, *segments: PlannedSegment, evidence: bool = False) -> ReelPlan:
    return ReelPlan(number, spool.about.recording_id, spool.about.take_id, 1, evidence, list(segments))


def test_nothing_is_let_go_of_without_proof_of_its_copy(tmp_path: Path, store: ObjectStore) -> None:
    spool = TakeSpool.create(tmp_path, about())
    write(spool, events())
    take = recover(spool.folder)
    first, second = (reel(take.spool, n, take.unplanned[n][2]) for n in (0, 1))
    for plan in (first, second):
        take.spool.plan(plan)
    content = (take.spool.folder / segment_name(0)).read_bytes()
    store.put_bytes(first.key, content)
    proof = store.verify(first.key, hashlib.sha256(content).digest(), len(content))
    with pytest.raises(ValueError, match="no proof"):
        take.spool.release(proof, second)
    assert take.spool.release(proof, first) == len(content)
    assert not (take.spool.folder / segment_name(0)).exists()
    again = recover(take.spool.folder)
    assert [plan.number for plan in again.plans] == [1]
    assert [segment.msn for _, _, segment in again.unplanned] == [2]
    assert again.next_msn == 3
    with pytest.raises(ValueError, match="still holds media"):
        again.spool.remove()


def test_a_file_that_a_cut_divided_stays_until_both_sides_are_stored(tmp_path: Path, store: ObjectStore) -> None:
    spool = TakeSpool.create(tmp_path, about())
    write(spool, events(2))
    spool.mark(CutRecord(0, 2))
    take = recover(spool.folder)
    plans = [reel(take.spool, n, take.unplanned[n][2], evidence=n == 1) for n in (0, 1)]
    content = (spool.folder / segment_name(0)).read_bytes()
    for plan in plans:
        place = plan.segments[0].source
        piece = content[place.offset : place.offset + place.length]
        store.put_bytes(plan.key, piece)
        take.spool.release(store.verify(plan.key, hashlib.sha256(piece).digest(), len(piece)), plan)
        assert (spool.folder / segment_name(0)).exists() == (plan is plans[0])
    assert "/evidence/" in plans[1].key
    assert take.spool.is_empty
    take.spool.remove()
    assert list(tmp_path.iterdir()) == []


def test_reels_let_go_of_at_the_same_time_remove_their_take_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a session's playlists go: each reel by a thread, and the last of them see an empty take together."""
    spool = TakeSpool.create(tmp_path, about())
    spool.over = True
    plain, inside, second_is_there = ingest.durable.unlink, threading.Event(), threading.Event()

    def unlink_on_a_slow_disk(path: Path) -> int:
        inside.set()
        second_is_there.wait(0.3)
        return plain(path)

    def second() -> None:
        inside.wait(10)
        remove_if_done(spool)
        second_is_there.set()

    monkeypatch.setattr(ingest.spool, "unlink", unlink_on_a_slow_disk)
    with capture_logs() as said, ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(second), threads.submit(remove_if_done, spool)]:
            done.result()
    assert said == []
    assert list(tmp_path.iterdir()) == []


def test_takes_of_one_recording_are_removed_by_several_threads(tmp_path: Path) -> None:
    for _ in range(20):
        recording = uuid4()
        spools = [TakeSpool.create(tmp_path, about(recording_id=recording)) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(spool.remove) for spool in spools]:
                done.result()
        assert list(tmp_path.iterdir()) == []


def test_what_was_in_a_plan_that_cannot_be_read_is_planned_anew(tmp_path: Path) -> None:
    spool = TakeSpool.create(tmp_path, about())
    made = events()
    write(spool, made)
    plan = reel(spool, 3, recover(spool.folder).unplanned[0][2])
    spool.plan(plan)
    path = spool.folder / plan.file_name
    path.write_bytes(bytes(path.stat().st_size))
    take = recover(spool.folder)
    assert take.plans == []
    assert recovered(take) == b"".join(muxed(made))
    assert take.highest_reel == 3, "the number is taken"


def test_ids_survive_the_disk(tmp_path: Path) -> None:
    spool = TakeSpool.create(tmp_path, about())
    assert isinstance(recover(spool.folder).spool.about.take_id, UUID)


@pytest.mark.parametrize("each", [False, True])
def test_parts_are_flushed_one_by_one_where_a_setting_says_so(
    settings: IngestSettings, monkeypatch: pytest.MonkeyPatch, each: bool
) -> None:
    """What reached the disk by the time the first part is out, as the descriptors that were flushed tell."""
    flushed: list[str] = []
    real = os.fdatasync

    def seen(descriptor: int) -> None:
        flushed.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", seen)
    house = House(replace(settings, spool_flush_parts=each))
    take = house.take()
    house.feed(take, lecture(1.6))
    house.threads.shutdown(wait=True)
    parts = sum(isinstance(record, PartRecord) for record in read((take.spool.folder / INDEX).read_bytes())[0])
    assert parts > 1
    assert flushed == ([segment_name(0), INDEX] * parts if each else [])


def test_a_flush_that_comes_late_finds_its_own_files(tmp_path: Path) -> None:
    """The segment is sealed, the index closed, and their numbers are other files' when a thread is free at last."""
    spool = TakeSpool.create(tmp_path, about())
    write(spool, events()[:3], seal=False)
    late = spool.flush()
    spool.seal()()
    spool.close()
    with (tmp_path / "stranger").open("wb"):
        late()
    assert not [one for one in psutil.Process().open_files() if one.path.startswith(str(spool.folder))]


def test_a_segment_that_the_disk_takes_long_over_is_let_go_of_without_a_word(tmp_path: Path) -> None:
    """It was read for the store from memory: the take is over, stored and gone when the disk has it at last."""
    spool = TakeSpool.create(tmp_path, about())
    write(spool, events()[:3], seal=False)
    late = spool.seal()
    spool.adopt({})
    spool.over = True
    remove_if_done(spool)
    late()
    assert list(tmp_path.iterdir()) == []
    assert not [one for one in psutil.Process().open_files() if one.path.startswith(str(spool.folder))]


def test_the_names_of_new_files_are_flushed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose bytes are on the disk is gone after a power cut where its folder was not flushed."""
    flushed: list[Path] = []

    def seen(real: Callable[[int], None]) -> Callable[[int], None]:
        def flush(descriptor: int) -> None:
            flushed.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
            real(descriptor)

        return flush

    monkeypatch.setattr(os, "fsync", seen(os.fsync))
    monkeypatch.setattr(os, "fdatasync", seen(os.fdatasync))
    root = tmp_path / "spool"
    spool = TakeSpool.create(root, about())
    folder = spool.folder
    assert {folder, folder.parent, root, tmp_path} <= set(flushed)
    made = events()
    flushed.clear()
    write(spool, made[:2])
    init = next(event for event in made if isinstance(event, Init))
    assert flushed == [folder / f"init-{init.number}.mp4", folder]
    flushed.clear()
    write(spool, made[1:4], seal=False)
    spool.flush()()
    assert flushed == [folder / segment_name(0), folder / INDEX, folder]
    flushed.clear()
    spool.flush()()
    assert folder not in flushed, "there is no new one"
    flushed.clear()
    spool.seal()()
    assert flushed == [folder / segment_name(0), folder, folder / INDEX], "before the segment is said to be whole"


def test_a_spool_of_a_version_without_checksums_is_read(tmp_path: Path) -> None:
    made = events()
    spool = TakeSpool.create(tmp_path, about())
    write(spool, made)
    spool.close()
    index = spool.folder / INDEX
    records, _ = read(index.read_bytes())
    without = (replace(one, checksum=None) if isinstance(one, PartRecord) else one for one in records)
    index.write_bytes(b"".join(map(line, without)))
    take = recover(spool.folder)
    assert recovered(take) == b"".join(muxed(made))
    assert [segment.checks() for _, _, segment in take.unplanned] == [[]] * 3


def test_a_part_that_is_not_as_it_was_written_ends_a_segment_that_was_not_sealed(tmp_path: Path) -> None:
    """Where another is behind it that is, it stays, for its upload to look at; what it took at the end is told."""
    made: list[Event] = [event for event in events() if not isinstance(event, SegmentClosed)]
    spool = TakeSpool.create(tmp_path, about())
    places = [one for one in write(spool, made, seal=False).values() if one.serial == 0]
    spool.close()
    path = spool.folder / segment_name(0)
    whole = path.read_bytes()
    for turned, kept in ((1, 4), (3, 3)):
        data = bytearray(whole)
        data[places[turned].offset + places[turned].length - 3] ^= 1
        path.write_bytes(data)
        take = recover(spool.folder)
        assert len(take.unplanned[0][2].checks()) == kept
        assert [(one.harm, one.start) for _, one in take.spoilt] == [("lost", one.start) for one in places[kept:]]
