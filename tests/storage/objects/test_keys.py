"""Keys: what is built is read back whole, lies in its owner's prefix, and nothing else is taken for ours."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.objects import keys
from storage.objects.keys import ObjectKind

RENDITIONS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True).filter(lambda name: name not in keys.RESERVED)
LANGUAGES = st.sampled_from(["zh", "zh-CN", "en", "zh-Hans-CN", "yue"])
NUMBERS = st.integers(0, 10**7)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "recording_id": st.uuids(),
    "course_id": st.uuids(),
    "take_id": st.uuids(),
    "ladder_plan_id": st.uuids(),
    "rendition": RENDITIONS,
    "version": st.integers(1, 10**6),
    "number": NUMBERS,
    "at_ms": st.integers(0, 10**10),
    "language": LANGUAGES,
    "probe_id": st.uuids(),
}
BUILDERS: dict[ObjectKind, tuple[Callable[..., str], tuple[str, ...]]] = {
    ObjectKind.SOURCE_INIT: (keys.source_init, ("recording_id", "take_id", "number")),
    ObjectKind.SOURCE_REEL: (keys.source_reel, ("recording_id", "take_id", "number")),
    ObjectKind.EVIDENCE_INIT: (keys.evidence_init, ("recording_id", "take_id", "number")),
    ObjectKind.EVIDENCE_REEL: (keys.evidence_reel, ("recording_id", "take_id", "number")),
    ObjectKind.RENDITION_INIT: (
        keys.rendition_init,
        ("recording_id", "rendition", "take_id", "ladder_plan_id", "number"),
    ),
    ObjectKind.RENDITION_REEL: (
        keys.rendition_reel,
        ("recording_id", "rendition", "take_id", "ladder_plan_id", "number"),
    ),
    ObjectKind.POSTER: (keys.poster, ("recording_id",)),
    ObjectKind.STILL: (keys.still, ("recording_id", "at_ms")),
    ObjectKind.CAPTIONS: (keys.captions, ("recording_id", "language")),
    ObjectKind.REPORT: (keys.report, ("recording_id",)),
    ObjectKind.COURSE_INIT: (keys.course_init, ("course_id", "version", "rendition", "number")),
    ObjectKind.COURSE_REEL: (keys.course_reel, ("course_id", "version", "rendition", "number")),
    ObjectKind.COURSE_CAPTIONS: (keys.course_captions, ("course_id", "version", "language")),
    ObjectKind.AUDIT_ANCHOR: (keys.audit_anchor, ("number",)),
    ObjectKind.PROBE: (keys.probe, ("probe_id",)),
}


def test_every_kind_has_a_builder() -> None:
    assert BUILDERS.keys() == set(ObjectKind)


@pytest.mark.parametrize("kind", ObjectKind)
@settings(deadline=None)
@given(data=st.data())
def test_what_is_built_is_read_back(kind: ObjectKind, data: st.DataObject) -> None:
    build, names = BUILDERS[kind]
    values = {name: data.draw(FIELDS[name], label=name) for name in names}
    key = build(*values.values())
    assert keys.read(key) == keys.ObjectName(kind, **values)
    assert keys.recording_of(key) == values.get("recording_id")
    assert keys.course_of(key) == values.get("course_id")
    if "recording_id" in values:
        assert key.startswith(keys.recording_prefix(values["recording_id"]))
    if "course_id" in values:
        assert key.startswith(keys.course_prefix(values["course_id"]))


@pytest.mark.parametrize("kind", ObjectKind)
@settings(deadline=None)
@given(data=st.data())
def test_a_key_with_one_slip_is_not_taken_for_what_it_is_not(kind: ObjectKind, data: st.DataObject) -> None:
    """One character dropped, doubled or changed: either no key of ours, or the very key that its parts would build."""
    build, names = BUILDERS[kind]
    key = build(*(data.draw(FIELDS[name], label=name) for name in names))
    at = data.draw(st.integers(0, len(key) - 1), label="at")
    put = data.draw(st.sampled_from(["", key[at] * 2, "/", ".", "0", "a", "A", "-", "\n", " "]), label="put")
    slipped = key[:at] + put + key[at + 1 :]
    name = keys.read(slipped)
    if name is not None:
        rebuild, fields = BUILDERS[name.kind]
        assert rebuild(*(getattr(name, field) for field in fields)) == slipped


@settings(deadline=None)
@given(first=st.uuids(), second=st.uuids())
def test_no_recordings_prefix_reaches_into_another(first: Any, second: Any) -> None:
    if first != second:
        assert not keys.poster(first).startswith(keys.recording_prefix(second))


@pytest.mark.parametrize("name", ["source", "evidence", "stills", "captions", "", "1080p/../x", "..", "A", "a" * 33])
def test_a_renditions_name_keeps_to_itself(name: str) -> None:
    (_, recording, take, plan) = ids = [UUID(int=number) for number in range(4)]
    with pytest.raises(ValueError, match="rendition"):
        keys.rendition_reel(recording, name, take, plan, 1)
    with pytest.raises(ValueError, match="rendition"):
        keys.course_reel(ids[0], 1, name, 1)


def test_numbers_and_languages_are_checked() -> None:
    some = UUID(int=1)
    with pytest.raises(ValueError, match="negative"):
        keys.source_reel(some, some, -1)
    with pytest.raises(ValueError, match="from 1"):
        keys.course_reel(some, 0, "720p", 1)
    with pytest.raises(ValueError, match="language"):
        keys.captions(some, "../zh")


def test_reels_list_in_their_order() -> None:
    some = UUID(int=1)
    listed = [keys.source_reel(some, some, number) for number in (1, 2, 10, 999, 99_999)]
    assert listed == sorted(listed)
