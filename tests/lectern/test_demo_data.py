"""What a demo made is remembered, so that time may be played with there and nowhere else."""

from pathlib import Path
from uuid import uuid4

import pytest

from lectern.commands.retention import require_demo_data
from lectern.complaint import Complaint
from lectern.demo import OURS, clear
from lectern.demo_data import NAME, add_demo_recordings, demo_recordings
from lectern.settings import load


def test_recordings_of_all_demos_on_a_folder_are_known(tmp_path: Path) -> None:
    assert demo_recordings(tmp_path) == set()
    first, second, third = uuid4(), uuid4(), uuid4()
    add_demo_recordings(tmp_path, [first])
    add_demo_recordings(tmp_path, [second, third])
    add_demo_recordings(tmp_path, [first])
    assert demo_recordings(tmp_path) == {first, second, third}
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_time_is_played_with_only_where_every_recording_is_a_demos(tmp_path: Path) -> None:
    settings = load({"LECTERN_DATA_FOLDER": str(tmp_path)})
    made, real = uuid4(), uuid4()
    add_demo_recordings(tmp_path, [made])
    require_demo_data(settings, (made,))
    for only in ((), (real,), (made, real)):
        with pytest.raises(Complaint, match="others keep real time"):
            require_demo_data(settings, only)


def test_starting_anew_removes_what_is_ours_and_refuses_a_folder_of_somebody_else(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for name in OURS:
        (folder / name).mkdir(parents=True)
    clear(folder)
    assert not folder.exists()
    clear(folder)
    (folder / "postgres").mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(Complaint, match=r"thesis\.tex, which is not Lectern's"):
        clear(folder)
    assert (folder / "thesis.tex").exists()
    assert (folder / "postgres").exists()
