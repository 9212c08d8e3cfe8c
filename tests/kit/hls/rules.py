"""The rules of RFC 8216bis that apply to what Lectern serves, as pure functions over playlists' texts.

Each returns what is wrong, with the section that says so; an empty list is a good playlist. `of_media` judges one text,
`of_change` what a reload brought, `of_delta` a delta update, `of_pair` two renditions at one time. `follow.py` runs
them over a live session, `master.py` has those of the multivariant playlist.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from tests.kit.hls.lines import Media, Segment, read_media

ROUNDING = 2e-6
"""Durations are written to the microsecond."""
SHORTEST_PART = 0.85
DATE_SLACK_MS = 2
"""Dates are written to the millisecond."""


def of_media(text: str, date_slack_ms: int = DATE_SLACK_MS) -> list[str]:
    """One playlist by itself."""
    media = read_media(text)
    judges = (_header, _lengths, _low_latency, _parts, _order_of_parts, _maps, _ends, _names)
    found = [fault for rule in judges for fault in rule(media)]
    return found + list(_dates(media, timedelta(milliseconds=date_slack_ms)))


def of_change(before: str, after: str, *, unpublished: bool = False) -> list[str]:
    """What a reload of a live playlist brought (§6.2.1, §6.2.2), beside what `of_media` finds in it.

    `unpublished`: the hinted part was asked for and answered 404, as it may be (§6.2.6), for a cut came before it.
    """
    judges = (_kept, _grown) if unpublished else (_kept, _grown, _hinted)
    return [fault for rule in judges for fault in rule(read_media(before), read_media(after))]


def of_delta(delta: str, whole: str) -> list[str]:
    """A delta update beside the playlist that it stands for (§6.2.5.1)."""
    update, full = read_media(delta), read_media(whole)
    boundary = float(full.control.get("CAN-SKIP-UNTIL", "inf"))
    far, behind = 0, sum(one.seconds for one in full.all)
    for one in full.segments:
        behind -= one.seconds
        far += behind > boundary + ROUNDING
    faults = []
    if full.ended and delta != whole:
        faults.append("6.2.5.1: a playlist that has ended is not skipped")
    if not full.ended and update.skipped != far:
        faults.append(f"6.2.5.1: {update.skipped} segments skipped, {far} are older than the boundary")
    if update.skipped and sum(one.seconds for one in update.all) < 6 * full.target - ROUNDING:
        faults.append("4.4.3.8: less than six target durations left")
    if update.skipped and int(update.once.get("EXT-X-VERSION", 1)) < 9:
        faults.append("8: EXT-X-SKIP needs version 9")
    if [_written(one) for one in update.all] != [_written(one) for one in full.all[update.skipped :]]:
        faults.append("6.2.5.1: what is not skipped differs from the whole playlist")
    if (update.hints, update.reports) != (full.hints, full.reports):
        faults.append("6.2.5.1: hints or reports differ")
    if {name: value for name, value in update.once.items() if name != "EXT-X-SKIP"} != full.once:
        faults.append("6.2.5.1: the header differs")
    return faults


def _written(one: Segment) -> tuple[object, ...]:
    """What stands at the segment itself: a client takes the map and the breaks before it from what it has."""
    return one.msn, one.uri, one.seconds, one.parts, one.date, one.gap, one.tags


def of_version(text: str, before: str, delta: str) -> list[str]:
    """A version of a playlist, the one before it (empty for the first) and its delta update."""
    return of_media(text) + (of_change(before, text) if before else []) + of_delta(delta, text)


def of_pair(one: str, other: str, other_uri: str) -> list[str]:
    """Two renditions of one session at the same time (§6.2.4, §4.4.5.4); `one` reports on `other`."""
    mine, its = read_media(one), read_media(other)
    faults = [
        f"6.2.4: {name} differs"
        for name in ("EXT-X-TARGETDURATION", "EXT-X-SERVER-CONTROL", "EXT-X-PLAYLIST-TYPE")
        if mine.once.get(name) != its.once.get(name)
    ]
    if [(s.msn, s.breaks, s.date) for s in mine.all] != [(s.msn, s.breaks, s.date) for s in its.all]:
        faults.append("6.2.4: segments, dates or discontinuities do not match")
    if mine.ended or not mine.all:
        return faults
    reports = {report["URI"]: report for report in mine.reports}
    report = reports.get(other_uri)
    if report is None:
        return [*faults, f"4.4.5.4: no report on {other_uri}"]
    parts = its.parts
    msn, index = (parts[-1][0], str(parts[-1][1])) if parts else (its.segments[-1].msn, None)
    if parts and its.segments and its.segments[-1].msn > msn:
        msn, index = its.segments[-1].msn, None
    if (int(report["LAST-MSN"]), report.get("LAST-PART")) != (msn, index):
        faults.append(f"4.4.5.4: {report} where {msn}, {index} is the last")
    return faults


def _header(media: Media) -> Iterator[str]:
    version = int(media.once.get("EXT-X-VERSION", 1))
    needed = max(
        3 if any(one.seconds % 1 for one in media.segments) else 1,
        6 if any(one.map_uri for one in media.all) else 1,
        9 if media.skipped else 1,
    )
    if version < needed:
        yield f"8: version {version} where {needed} is needed"
    if "EXT-X-TARGETDURATION" not in media.once:
        yield "4.4.3.1: no target duration"


def _lengths(media: Media) -> Iterator[str]:
    for one in media.all:
        if int(one.seconds + 0.5) > media.target:
            yield f"4.4.3.1: segment {one.msn} lasts {one.seconds} of {media.target}"
        if one.uri and one.parts and abs(one.seconds - sum(part.seconds for part in one.parts)) > ROUNDING * 20:
            yield f"3.2: the parts of {one.msn} last {sum(part.seconds for part in one.parts)}, not {one.seconds}"


def _low_latency(media: Media) -> Iterator[str]:
    control, target = media.control, media.part_target
    if target is None and media.parts:
        yield "4.4.3.7: parts without EXT-X-PART-INF"
    if target is not None and "PART-HOLD-BACK" not in control:
        yield "4.4.3.8: no PART-HOLD-BACK"
    if target is not None and float(control.get("PART-HOLD-BACK", "0")) < 3 * target - ROUNDING:
        yield f"4.4.3.8: PART-HOLD-BACK is less than three times {target}"
    if float(control.get("HOLD-BACK", "inf")) < 3 * media.target:
        yield "4.4.3.8: HOLD-BACK is less than three target durations"
    if float(control.get("CAN-SKIP-UNTIL", "inf")) < 6 * media.target:
        yield "4.4.3.8: CAN-SKIP-UNTIL is less than six target durations"


def _parts(media: Media) -> Iterator[str]:
    target = media.part_target or 0.0
    for one in media.all:
        for index, part in enumerate(one.parts):
            last = index + 1 == len(one.parts)
            free = part.independent or part.gap or last or one.parts[index + 1].gap
            if part.seconds > target + ROUNDING:
                yield f"4.4.4.9: part {one.msn}.{index} lasts {part.seconds} of {target}"
            if part.seconds < SHORTEST_PART * target - ROUNDING and not free:
                yield f"4.4.4.9: part {one.msn}.{index} lasts {part.seconds}, less than 85 % of {target}"
        if "EXT-X-PART" in one.tags:
            late = {"EXT-X-DISCONTINUITY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME"} & set(
                one.tags[one.tags.index("EXT-X-PART") :]
            )
            if late:
                yield f"4.4.4.9: {late} behind the first part of {one.msn}"


def _order_of_parts(media: Media) -> Iterator[str]:
    listed = [bool(one.parts) for one in media.segments]
    if listed != sorted(listed):
        yield "6.2.2: parts were not removed in their order"
    behind = 0.0
    for one in reversed(media.all):
        if one.parts and behind > 3 * media.target:
            yield f"6.2.2: the parts of {one.msn} are {behind} s from the end"
        behind += one.seconds


def _maps(media: Media) -> Iterator[str]:
    for one in media.all:
        if not media.skipped and one.map_uri is None and not (one.gap or any(part.gap for part in one.parts)):
            yield f"3.1.2: {one.msn} has no EXT-X-MAP"
    for before, after in pairwise(media.all):
        if before.map_uri not in (None, after.map_uri) and before.breaks == after.breaks:
            yield f"6.2.1: {after.msn} has another init without a discontinuity"


def _dates(media: Media, slack: timedelta) -> Iterator[str]:
    """Every instant is one media time's (§6.2.1); within a stretch dates go as the durations say."""
    if not any(one.date for one in media.all):
        return
    ends, before = None, None
    for one in media.all:
        if before and one.breaks != before.breaks and one.date is None:
            yield f"6.2.1: {one.msn} begins anew without a date"
        if one.date and ends is not None and before is not None:
            if one.date < ends - slack:
                yield f"6.2.1: {one.msn} begins {ends - one.date} before the end of the one before"
            if one.breaks == before.breaks and one.date > ends + slack:
                yield f"6.2.1: {one.msn} is {one.date - ends} late"
        start = one.date or ends
        ends = start + timedelta(seconds=one.seconds) if start else None
        before = one


def _ends(media: Media) -> Iterator[str]:
    if media.ended and media.hints:
        yield "4.4.5.3: a hint in a playlist that has ended"
    if len([one for one in media.hints if one["TYPE"] == "PART"]) > 1:
        yield "6.2.6: two hints of one type"
    listed = {part.uri for _, _, part in media.parts}
    for hint in media.hints:
        if hint["URI"] in listed:
            yield f"4.4.5.3: {hint['URI']} is hinted at and there"
    for report in media.reports:
        if "://" in report["URI"] or report["URI"].startswith("/"):
            yield f"4.4.5.4: {report['URI']} is not relative"


def _names(media: Media) -> Iterator[str]:
    names = [one.uri for one in media.segments] + [part.uri for _, _, part in media.parts]
    for name in {name for name in names if names.count(name) > 1} if len(names) != len(set(names)) else ():
        yield f"{name} is listed twice"
    if any(name.startswith(("/", "http")) for name in names):
        yield "a URI is not relative: it would lose the token"


def _kept(before: Media, after: Media) -> Iterator[str]:
    for name in sorted(before.once.keys() | after.once.keys()):
        grows = name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-SKIP")
        ends = name == "EXT-X-ENDLIST" and name in after.once
        if not grows and not ends and before.once.get(name) != after.once.get(name):
            yield f"6.2.1: {name} was {before.once.get(name)}, is {after.once.get(name)}"
    for name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"):
        if int(after.once.get(name, 0)) < int(before.once.get(name, 0)):
            yield f"6.2.2: {name} fell"
    if before.once.get("EXT-X-PLAYLIST-TYPE") and after.segments[: len(before.segments)] != before.segments:
        yield "4.4.3.5: an EVENT is only appended to"
    if before.ended and before != after:
        yield "6.2.1: changed after its end"


def _grown(before: Media, after: Media) -> Iterator[str]:
    now = {one.msn: one for one in after.all}
    first = after.all[0].msn if after.all else 0
    for one in before.all:
        if one.msn < first:
            continue
        if one.msn not in now:
            yield f"6.2.1: {one.msn} has gone"
        else:
            yield from _same(one, now[one.msn])


def _same(old: Segment, new: Segment) -> Iterator[str]:
    if old.uri and (old.uri, old.seconds, old.gap) != (new.uri, new.seconds, new.gap):
        yield f"6.2.1: {old} has become {new}"
    if (old.breaks, old.date) != (new.breaks, new.date) or (old.map_uri != new.map_uri and new.map_uri is not None):
        yield f"6.2.1: what applies to {old.msn} has changed"
    if new.parts[: len(old.parts)] != old.parts and not (new.uri and not new.parts):
        yield f"6.2.1: parts of {old.msn} have changed"
    if old.uri and old.parts and new.parts not in (old.parts, ()):
        yield f"6.2.1: a closed segment, {old.msn}, got parts"


def _hinted(before: Media, after: Media) -> Iterator[str]:
    """The next part that comes is the one that was hinted at (§4.4.5.3)."""
    hint = next((one["URI"] for one in before.hints if one["TYPE"] == "PART"), None)
    known = {part.uri for _, _, part in before.parts}
    newest = max((msn for msn, _, _ in before.parts), default=-1)
    fresh = [part.uri for msn, _, part in after.parts if part.uri not in known and msn >= newest]
    is_old = not any(one.parts for one in after.all if one.msn == newest)  # its parts are no longer listed
    if hint is not None and fresh and fresh[0] != hint and not is_old:
        yield f"4.4.5.3: {fresh[0]} came where {hint} was hinted at"
