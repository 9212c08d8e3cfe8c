"""The Dockerfile and systemd's units against the house: what is copied, who runs, what commands and settings there are.

Units are read as text: there is no systemd here to ask.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lectern.settings import load
from tests.house.production.files import ROOT, compose, units
from tests.house.production.start import command_named, settings_of, unset_secrets

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UNITS = dict(units())


def copied() -> list[str]:
    """Every source that a COPY takes from the folder of the build."""
    lines = re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+)$", DOCKERFILE, flags=re.MULTILINE)
    return [word.rstrip("/") for line in lines for word in line.split()[:-1]]


def test_the_image_holds_every_package_of_the_wheel() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= set(copied())
    assert "COPY --from=web /build/api/static api/static" in DOCKERFILE, "the pages are an artifact of the wheel"


def test_what_is_copied_is_there_and_let_through() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert any(source == line[1:] or source.startswith(f"{line[1:]}/") for line in ignore if line[:1] == "!"), (
            source
        )


def test_the_image_runs_unprivileged_on_what_the_lock_says() -> None:
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.findall(r"^USER (\S+)$", last_stage, flags=re.MULTILINE) == [compose()["services"]["api"]["user"]]
    assert "pip install --require-hashes" in DOCKERFILE
    assert "-r requirements.lock" in DOCKERFILE
    assert "HEALTHCHECK" in last_stage
    command = re.search(r'^CMD \["(.+)"\]$', last_stage, flags=re.MULTILINE)
    assert command
    command_named(command[1].split('", "'))


def value_of(lines: list[tuple[str, str]], key: str) -> str:
    (value,) = (value for name, value in lines if name == key)
    return value


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_starts_a_command_with_settings_that_load(name: str, tmp_path: Path) -> None:
    lines = UNITS[name]
    command = value_of(lines, "ExecStart").split()
    assert re.match(rf"lectern-{command[1]}@?\.service", name)
    command_named(command)
    environ = dict(value.split("=", 1) for key, value in lines if key == "Environment")
    credentials = [value.split(":")[0] for key, value in lines if key == "LoadCredential"]
    for credential in credentials:
        (tmp_path / credential).write_text("00" * 32, encoding="utf-8")
    variables = {key: value for key, value in environ.items() if key.startswith("LECTERN_")}
    variables["LECTERN_CONFIG"] = str(ROOT / "deploy" / "lectern.toml.example")
    assert unset_secrets(settings_of(variables, tmp_path)) == []
    assert ("database_owner_url" in credentials) is (command[1] == "migrate")


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_is_hardened(name: str) -> None:
    lines = UNITS[name]
    assert value_of(lines, "User") == "lectern"
    for key, wanted in [("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("CapabilityBoundingSet", "")]:
        assert value_of(lines, key) == wanted


def test_there_is_a_unit_for_each_process() -> None:
    processes = {re.sub(r"lectern-|@?\.service", "", name) for name in UNITS}
    assert processes == {"api", "ingest", "worker", "scheduler", "migrate"}


def test_the_example_of_the_settings_file_is_what_the_units_need() -> None:
    example = ROOT / "deploy" / "lectern.toml.example"
    read: dict[str, Any] = tomllib.loads(example.read_text(encoding="utf-8"))
    secrets = {"LECTERN_STORAGE_DATABASE_URL": "a", "LECTERN_STORAGE_VALKEY_URL": "b"} | {
        f"LECTERN_STORAGE_S3_{part}_KEY": "c" for part in ("ACCESS", "SECRET")
    }
    settings = load({"LECTERN_CONFIG": str(example), **secrets})
    assert settings.api.accel_redirect is True
    objects = (ROOT / "deploy/nginx/place-host/objects.conf").read_text(encoding="utf-8")
    assert objects.count(read["storage"]["s3_endpoint"]) == 2
    http = (ROOT / "deploy/nginx/place-host/http.conf").read_text(encoding="utf-8")
    assert f"server 127.0.0.1:{settings.api.port};" in http
    assert f"server 127.0.0.1:{settings.ingest.http_port};" in http
