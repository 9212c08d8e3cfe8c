"""An encoder that changes its settings again and again: one write at a time for its take's row, and an end."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ingest.ledger import Ledger
from ingest.lives import Lives
from ingest.settings import IngestSettings
from ingest.take import MOST_CHANGES
from media.packet import Packet
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from tests.ingest.builders import AVC_CONFIG, VIDEO, video
from tests.ingest.classroom import now
from tests.ingest.live_house import House

OTHER = replace(VIDEO, config=AVC_CONFIG + b"\x00", width=640)


def alternating(seconds: float, key_every: float) -> Iterator[Packet]:
    """Other parameter sets with each key frame."""
    tracks = [VIDEO, OTHER]
    for packet in video(seconds, key_every=key_every):
        if packet.keyframe:
            tracks.reverse()
        yield replace(packet, track=tracks[0])


def test_one_that_cannot_settle_is_told_and_its_publish_ended(settings: IngestSettings) -> None:
    house = House(settings)
    take = house.take()
    house.feed(take, list(alternating(60, key_every=1.0)))
    assert house.ended == [("broke_rules", None)]
    assert house.closed == ["NetStream.Publish.Failed"]
    assert house.session.problem == ("broke_rules", {}), "the pages say so"
    assert len(house.session.window.inits) <= MOST_CHANGES + 1
    assert 19 <= house.seen_seconds() <= 22, "what came before is kept"
    take = house.take()
    house.feed(take, list(video(3)))
    assert house.session.take is take, "it may come back"
    assert house.session.problem is None


def test_one_that_changes_now_and_then_goes_on(settings: IngestSettings) -> None:
    house = House(settings)
    house.feed(house.take(), list(alternating(180, key_every=4.0)))
    assert house.ended == []
    assert house.seen_seconds() > 170


def test_of_what_a_take_sends_only_the_newest_waits_to_be_written(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue is away, and what waits for it is asked for."""
    waiting: list[str] = []
    monkeypatch.setattr(Ledger, "put", lambda ledger, name, write: waiting.append(name))
    house = House(settings)
    lives = Lives(settings, catalogue, store, clock=lambda: house.seconds, wall=now)
    house.session._hooks = lives._hooks
    take = house.take()
    for track in (VIDEO, OTHER) * 10:
        take.track(track)
    assert waiting == ["take_described"]
    lives.close()
