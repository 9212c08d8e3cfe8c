"""A short run of every target in the first tier; `make fuzz` is the long one."""

import contextlib
import time
from pathlib import Path

import pytest

from ingest.rtmp import amf0
from ingest.rtmp.errors import PeerError
from tests.fuzz import media_targets, run, targets
from tests.fuzz.mutator import Mutator
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

INPUTS = {"handshake": 400, "chunks": 1500, "amf": 5000, "publish": 700, "connection": 500}
INPUTS |= {"tags": 2000, "offer": 200, "rtp": 400, "media": 1500}


@pytest.mark.parametrize("target", TARGETS)
def test_some_inputs(target: str) -> None:
    mutator = Mutator(seeds(target), number=4)
    for _ in range(INPUTS[target]):
        TARGETS[target](mutator.next())


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_is_well_and_reaches_the_inside(target: str) -> None:
    for seed in seeds(target):
        TARGETS[target](seed)
    if target == "amf":
        assert sum(1 for seed in seeds("amf") if _understood(seed)) == len(seeds("amf")) - 1
    if target == "rtp":
        sink = media_targets.Sink()
        for seed in seeds("rtp"):
            media_targets.receive(seed, sink)
        assert sink.packets >= 8, "pictures and sounds are handed on"


def _understood(data: bytes) -> bool:
    with contextlib.suppress(PeerError):
        return bool(amf0.decode(data))
    return False


def test_the_run_finds_what_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A parser that fails on a byte, one that hangs: found, kept, named."""

    def fails(data: bytes) -> None:
        if 0x42 in data:
            raise IndexError

    monkeypatch.setattr(run, "_limit_memory", lambda: None)
    monkeypatch.setitem(targets.TARGETS, "amf", fails)
    with pytest.raises(IndexError):
        run.unguided("amf", 10_000, 60.0, 1, tmp_path)
    assert "breaks it" in capsys.readouterr().err
    monkeypatch.setattr(run, "LONGEST_SECONDS", 0.05)
    monkeypatch.setitem(targets.TARGETS, "amf", lambda data: time.sleep(5))
    with pytest.raises(TimeoutError):
        run.unguided("amf", 1, 60.0, 1, tmp_path)


def test_pieces_are_all_of_it() -> None:
    data = bytes(range(256)) * 20
    assert b"".join(targets.pieces(data)) == data
    assert targets.pieces(b"") == []
