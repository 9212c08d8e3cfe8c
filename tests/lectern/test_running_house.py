"""What a running house leaves for the commands beside it: who may read it, when it counts, and what stands in it."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lectern.complaint import Complaint
from lectern.data_folder import held
from lectern.running_house import NAME, announced, find
from lectern.settings import Settings, load

MASTER = bytes(range(32)).hex()
EMBEDDED = {
    "database_url": "postgresql+psycopg://lectern_app:own@127.0.0.1:1/lectern",
    "database_owner_url": "postgresql+psycopg://lectern_owner:owners@127.0.0.1:1/lectern",
    "valkey_url": "redis://:own@127.0.0.1:2/0",
    "s3_endpoint": "127.0.0.1:3",
    "s3_access_key": "own",
    "s3_secret_key": "own",
}


def given(folder: Path, **variables: str) -> Settings:
    return load({"LECTERN_DATA_FOLDER": str(folder), **{f"LECTERN_{name}": one for name, one in variables.items()}})


def completed(told: Settings) -> Settings:
    """As the embedded servers complete what was told."""
    storage: dict[str, Any] = {name: value for name, value in EMBEDDED.items() if not getattr(told.storage, name)}
    return dataclasses.replace(
        told,
        storage=dataclasses.replace(told.storage, **storage),
        lectern=dataclasses.replace(told.lectern, master_secret=told.lectern.master_secret or MASTER),
    )


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_it_is_there_for_its_user_alone_and_as_long_as_the_house(tmp_path: Path) -> None:
    told = given(tmp_path, API_PORT="18080", LOG_FORMAT="json")
    assert find(tmp_path) is None
    with announced(told, completed(told)):
        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
        house = find(tmp_path)
        assert house is not None
        assert "own" not in repr(house)
        assert house.variables["LECTERN_STORAGE_DATABASE_URL"] == EMBEDDED["database_url"]
        assert house.variables["LECTERN_API_PORT"] == "18080"
        assert house.variables["LECTERN_MASTER_SECRET_FILE"] == str(tmp_path / "master-secret")
        kept = (tmp_path / NAME).read_text(encoding="utf-8")
        assert not [word for word in ("owners", MASTER, "LOG_FORMAT") if word in kept]
        assert house.completes(told.storage)
    assert not (tmp_path / NAME).exists()
    assert find(tmp_path / "none") is None


def test_what_it_was_given_is_not_written_down_and_must_be_given_again(tmp_path: Path) -> None:
    told = given(tmp_path, MASTER_SECRET=MASTER, STORAGE_DATABASE_URL="postgresql://x:hush@db/lectern")
    with announced(told, completed(told)):
        kept = (tmp_path / NAME).read_text(encoding="utf-8")
        assert not [word for word in ("hush", MASTER, "MASTER_SECRET") if word in kept]
        house = find(tmp_path)
        assert house is not None
        assert house.completes(told.storage)
        nothing, everything = given(tmp_path).storage, completed(told).storage
        assert not house.completes(nothing), "its catalogue is not known"
        assert not house.completes(everything), "nothing is missing"
    own = given(tmp_path)
    with announced(own, completed(own)):
        house = find(tmp_path)
        assert house is not None
        assert not house.completes(told.storage), "the catalogue of one house and the objects of another"


def test_what_a_killed_house_left_is_no_house(tmp_path: Path, sleeper: "subprocess.Popen[str]") -> None:
    told = given(tmp_path)
    with announced(told, completed(told)):
        kept = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    (tmp_path / NAME).write_text(json.dumps(kept | {"pid": sleeper.pid}), encoding="utf-8")
    assert find(tmp_path) is None, "its number is another process's now"
    began = int(Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2].split()[19])
    (tmp_path / NAME).write_text(json.dumps(kept | {"pid": sleeper.pid, "began_tick": began}), encoding="utf-8")
    assert find(tmp_path) is not None
    sleeper.kill()
    sleeper.stdin.close()  # type: ignore[union-attr]
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert find(tmp_path) is None, "it is over, only nobody has asked for its exit code"
    sleeper.wait()
    assert find(tmp_path) is None


def test_who_wants_a_folder_that_is_held_learns_which_process_to_end(tmp_path: Path) -> None:
    holder = "import sys\nfrom pathlib import Path\nfrom lectern.data_folder import held\n"
    holder += "with held(Path(sys.argv[1])):\n    print('held', flush=True)\n    input()\n"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "held\n"
        with (
            pytest.raises(Complaint, match=rf"\(process {process.pid}\): stop it \(`kill {process.pid}`\)"),
            held(tmp_path),
        ):
            pass
        process.stdin.close()
    with held(tmp_path):
        pass
