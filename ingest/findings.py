"""What a take's row says of its media: what its encoder sends, and when it is over what came, what of it could not be
used, how its times were repaired.

With the counts of its reels this is the account of a take: what came is there, was said to be unusable, or is missing.
"""

from typing import Any

from ingest.events import CLOCK
from ingest.take import Take
from ingest.unrecorded import Unrecorded
from storage.catalogue import takes


def findings(take: Take, disk_gaps: int, unrecorded: Unrecorded) -> dict[str, Any]:
    """JSON for `Take.findings`. `encoder` is what it called itself in its media. `frames` came and were understood, by
    kind of track; `dropped` of them could not have been decoded by anybody, `unrecorded` ones went out live alone: the
    disk did not take them. `missing` never came, as far as the pictures' times tell; `malformed` could not be read.
    `disk_gaps` is how often, so far in its session, the disk took no more. `ends_at_ms` is where the take's media ends.
    Times are milliseconds of the session's line, `ticks` are 1/90,000 s.
    """
    line = take.timeline
    return {
        "encoder": take.encoder,
        "frames": dict(line.frames) if line else {},
        "dropped": dict(take.packager.dropped),
        "missing": take.statistics.dropped_frames,
        "malformed": take.malformed,
        "disk_gaps": disk_gaps,
        "unrecorded": unrecorded.as_row(),
        "ends_at_ms": take.end * 1000 // CLOCK,
        "repairs": {kind.value: many for kind, many in sorted(line.repairs.counts.items())} if line else {},
        "repaired": [
            {"kind": one.kind.value, "track": one.track, "at_ms": one.at * 1000 // CLOCK, "ticks": one.ticks}
            for one in line.repairs.listed
        ]
        if line
        else [],
    }


def format_of(take: Take) -> takes.Format:
    """What the encoder was found to send."""
    video, audio = take.statistics.video, take.statistics.audio
    return takes.Format(
        video_codec=video.codec if video else None,
        audio_codec=audio.codec if audio else None,
        width=video.width if video else None,
        height=video.height if video else None,
        frame_rate=take.statistics.frame_rate,
    )
