"""The wheel holds our packages and the built pages, nothing else, and owns the names that it takes.

Built from a copy of what git knows, with pages of this test's own: what else lies in a checkout must not get in.
"""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from lectern.doctor.names import ROOTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("api/static/index.html", "api/static/favicon.svg", "api/static/assets/index-abc.js")
STRANGERS = (".data/master-secret", ".env", "deploy/secrets/master_secret", "scratch/notes.py", "api/__pycache__/x.pyc")


def tracked() -> list[str]:
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=ROOT, timeout=30).stdout.splitlines()
    return [name for name in listed if not name.startswith(("web/", "tests/")) and (ROOT / name).is_file()]


def build(checkout: Path, into: Path) -> Path:
    """`uv build` with what is in its cache; the registry is asked only where the build's tool was never fetched."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "build", "--wheel", "--quiet", "--out-dir", str(into), str(checkout)]
    offline = subprocess.run([*command, "--offline"], check=False, capture_output=True, text=True, timeout=110)
    if offline.returncode:
        subprocess.run(command, check=True, timeout=110)
    (wheel,) = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "checkout" / name)
    for name in (*PAGES, *STRANGERS):
        (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "checkout" / name).write_text("here", "utf-8")
    return build(folder / "checkout", folder / "dist")


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel installed beside its dependencies, in front of the checkout."""
    folder = tmp_path_factory.mktemp("site")
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--offline", "--target", str(folder), str(wheel)]
    subprocess.run([*command, "--python", sys.executable], check=True, timeout=60)
    return folder


def test_it_holds_our_packages_and_no_other(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    (information,) = [top for top in tops if top.endswith(".dist-info")]
    assert tops - {information} == set(ROOTS)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert packages["packages"] == list(ROOTS)


def test_every_file_of_our_packages_is_in_it(names: set[str]) -> None:
    ours = {name for name in tracked() if name.split("/")[0] in ROOTS}
    assert ours <= names, ours - names
    # What is read at run time and is no module.
    for read in ("lectern/demo_media/narration.opus", "storage/migrations/script.py.mako"):
        assert read in names


def test_the_built_pages_are_in_it_though_git_ignores_them(names: set[str]) -> None:
    assert set(PAGES) <= names


def test_nothing_that_only_lies_about_gets_in(names: set[str]) -> None:
    assert not names & set(STRANGERS)
    assert not [name for name in names if name.endswith((".pyc", "master-secret")) or "/tests/" in name]


def test_it_refuses_to_be_published(wheel: Path) -> None:
    """A registry takes no distribution with a classifier that begins with "Private ::"."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        assert "Classifier: Private :: Do Not Upload" in archive.read(metadata).decode()


def installed(site: Path, script: str, folder: Path) -> str:
    """What a script prints that finds the installed wheel first."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LECTERN_")}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", script], check=False, capture_output=True, text=True, timeout=60, cwd=folder,
        env={**environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_each_name_is_ours_alone_and_all_lie_in_one_place(site: Path, tmp_path: Path) -> None:
    script = (
        "import importlib.metadata; owners = importlib.metadata.packages_distributions();"
        f"print({{name: owners[name] for name in {ROOTS!r}}})"
    )
    assert ast.literal_eval(installed(site, script, tmp_path)) == {name: ["lectern"] for name in ROOTS}
    found = "from lectern.doctor import names; print(names.packages(None))"
    assert f"{len(ROOTS)} packages under {site.resolve()}" in installed(site, found, tmp_path)


def test_the_installed_command_line_works_and_finds_its_files(site: Path, tmp_path: Path) -> None:
    command = "import sys; sys.argv = ['lectern', 'config']; from lectern.__main__ import main; main()"
    assert "LECTERN_API_PORT" in installed(site, command, tmp_path)
    script = (
        "from storage.migrations.run import newest; from lectern.demo_lecture import MEDIA;"
        "print(newest(), (MEDIA / 'narration.opus').exists(), MEDIA)"
    )
    revision, there, media = installed(site, script, tmp_path).split()
    assert (revision.isdigit(), there) == (True, "True")
    assert Path(media).is_relative_to(site.resolve())
