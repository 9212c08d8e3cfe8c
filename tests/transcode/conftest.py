"""How to test transcoding: `workshop` is a worker's place over this test's stores; `recorded` a real captured take."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.catalogue import ladder
from storage.catalogue.tables.ladder_plan import LadderPlan
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from storage.workshop import Place
from tests.kit.captured import Clip, capture, clip
from tests.storage.catalogue import builders
from transcode.ladder import DEFAULT_PLAN_SLUG, DEFAULT_RENDITIONS
from transcode.settings import TranscodeSettings

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def source_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Eight seconds of 720p with B-frames and sound."""
    return clip(tmp_path_factory.mktemp("clip") / "source.mp4")


@dataclass(frozen=True)
class Recorded:
    """A captured take: its reels are stored, its session is not ended."""

    take: Take
    reels: list[Reel]
    plan: LadderPlan


@pytest.fixture
def workshop_settings(tmp_path: Path) -> TranscodeSettings:
    return TranscodeSettings(work_folder=tmp_path / "work", still_interval_seconds=2)


@pytest.fixture
def workshop(catalogue: Catalogue, object_store: ObjectStore, workshop_settings: TranscodeSettings) -> Place:
    return Place(catalogue, object_store, lambda: NOW, {TranscodeSettings: workshop_settings})


@pytest.fixture
async def recorded(catalogue: Catalogue, object_store: ObjectStore, source_clip: Clip) -> Recorded:
    async with catalogue.transaction() as tx:
        plan = await ladder.put_plan(tx, DEFAULT_PLAN_SLUG, [dict(one) for one in DEFAULT_RENDITIONS])
        session = await builders.session(tx, await builders.place(tx))
        take = await builders.take(tx, session)
        return Recorded(take, await capture(tx, object_store, take, source_clip), plan)
