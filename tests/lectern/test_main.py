"""The command line as a person meets it: help for every command, and a mistake told in one line."""

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lectern.__main__ import COMMANDS, lectern
from lectern.settings import ROOMS

LECTERN = Path(sys.executable).with_name("lectern")
STORES = {
    "LECTERN_STORAGE_DATABASE_URL": "postgresql://lectern_app:x@127.0.0.1:1/lectern",
    "LECTERN_STORAGE_VALKEY_URL": "redis://127.0.0.1:1",
    "LECTERN_STORAGE_S3_ENDPOINT": "127.0.0.1:1",
    "LECTERN_STORAGE_S3_ACCESS_KEY": "a",
    "LECTERN_STORAGE_S3_SECRET_KEY": "b",
}


def run(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The console script in a folder of the test's own, with these variables and none of this machine's."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LECTERN_")}
    return subprocess.run(
        [LECTERN, *arguments], check=False, capture_output=True, text=True, timeout=60, cwd=folder,
        env={**plain, **environ}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def every_command(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Each command's words, groups within groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*path, name)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)


@pytest.mark.parametrize("words", [(), *every_command(lectern)], ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(words: tuple[str, ...], option: str) -> None:
    answer = CliRunner().invoke(lectern, [*words, option])
    assert answer.exit_code == 0, answer.output
    text = answer.output.split("Options:")[0].split("\n", 1)[1].strip()
    assert len(text) > 15, "a person learns nothing from this"
    undescribed = re.findall(r"^  (-[-\w, ]+(?: [A-Z]+)?)$(?!\n {4,})", answer.output, flags=re.MULTILINE)
    assert not undescribed, "an option without a word about it"


def test_the_list_of_commands_is_what_there_is() -> None:
    folder = Path(sys.modules["lectern.command_group"].__file__ or "").with_name("commands")
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "context"}
    assert files == set(COMMANDS)
    answer = CliRunner().invoke(lectern, ["--help"])
    assert [name for name in COMMANDS if name not in answer.output] == []


def test_it_says_its_version(tmp_path: Path) -> None:
    assert run("--version", folder=tmp_path).stdout.split()[-1] == version("lectern")


@pytest.mark.parametrize("words", [(), ("capacity",)], ids=" ".join)
def test_a_group_without_a_command_tells_which_there_are(words: tuple[str, ...], tmp_path: Path) -> None:
    answer = run(*words, folder=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith(" ".join(("Usage: lectern", *words, "[OPTIONS] COMMAND")))


MISTAKES = [
    (("fly",), {}, "No such command 'fly'"),
    (("config", "--docks"), {}, "No such option"),
    (("config",), {"LECTERN_API_PROT": "1"}, "LECTERN_API_PROT is not a setting"),
    (("config",), {"LECTERN_API_PORT": "http"}, "LECTERN_API_PORT must be int"),
    (("config",), {"LECTERN_API_TRUSTED_PROXIES": "nginx"}, "trusted_proxies"),
    (("config",), {"LECTERN_CONFIG": "nowhere.toml"}, "nowhere.toml: No such file"),
    (("--config", "nowhere.toml", "config"), {}, "nowhere.toml: No such file"),
    (("api",), {}, "LECTERN_STORAGE_DATABASE_URL is not set"),
    (("ingest",), STORES | {"LECTERN_STORAGE_VALKEY_URL": ""}, "LECTERN_STORAGE_VALKEY_URL is not set"),
    (("worker",), STORES | {"LECTERN_STORAGE_S3_ENDPOINT": ""}, "LECTERN_STORAGE_S3_ENDPOINT is not set"),
    (("scheduler",), {}, "LECTERN_STORAGE_DATABASE_URL is not set"),
    (("migrate",), STORES, "LECTERN_STORAGE_DATABASE_OWNER_URL is not set"),
    (("api",), STORES, "LECTERN_MASTER_SECRET is not set"),
    (("retention", "run"), STORES, "refused"),
    (("retention", "run", "--at", "tomorrow"), STORES, "not an instant"),
    (("retention", "run", "--at", "2027-03-14T09:00:00"), STORES, "say its zone"),
    (("retention", "run", "--at", "2027-03-14T09:00:00+08:00"), STORES, "recordings that a demo made"),
    (("retention", "run"), STORES | {"LECTERN_STORAGE_DATABASE_URL": "no address"}, "Could not parse"),
]


@pytest.mark.parametrize(
    ("words", "environ", "said"), MISTAKES, ids=[f"{' '.join(one[0])}: {one[2]}" for one in MISTAKES]
)
def test_a_mistake_is_one_line_and_exit_code_2(
    words: tuple[str, ...], environ: dict[str, str], said: str, tmp_path: Path
) -> None:
    answer = run(*words, folder=tmp_path, **environ)
    assert answer.returncode == 2, answer.stderr
    assert said in answer.stderr
    assert answer.stderr.startswith("lectern: ")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_debug_shows_where(tmp_path: Path) -> None:
    answer = run("--debug", "retention", "run", folder=tmp_path, **STORES)
    assert answer.returncode != 0
    assert "Traceback (most recent call last)" in answer.stderr


def test_config_names_each_setting_with_its_source_and_hides_secrets(tmp_path: Path) -> None:
    (tmp_path / "lectern.toml").write_text("[ingest]\nrtmp_port = 1936\n", encoding="utf-8")
    secrets = {"LECTERN_STORAGE_S3_SECRET_KEY": "hush", "LECTERN_MASTER_SECRET": "ab" * 32}
    answer = run("--config", "lectern.toml", "config", folder=tmp_path, **{**STORES, **secrets})
    assert answer.returncode == 0, answer.stderr
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in answer.stdout.splitlines()}
    assert rows["LECTERN_INGEST_RTMP_PORT"] == ["1936", "lectern.toml [ingest] rtmp_port"]
    assert rows["LECTERN_API_PORT"] == ["8080", "default"]
    assert rows["LECTERN_MASTER_SECRET"] == ["***", "LECTERN_MASTER_SECRET"]
    assert rows["LECTERN_STORAGE_DATABASE_URL"][0] == "postgresql://lectern_app:***@127.0.0.1:1/lectern"
    assert not [secret for secret in secrets.values() if secret in answer.stdout]
    assert len(rows) == 1 + sum(len(dataclasses.fields(made_of)) for made_of in ROOMS.values())


def test_packages_of_the_folder_it_is_started_in_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "__init__.py").write_text("raise SystemExit('a stranger')", encoding="utf-8")
    answer = run("config", folder=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
