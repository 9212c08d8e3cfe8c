"""Settings from real files and plain mappings; the process's own environment is never touched."""

from dataclasses import fields
from pathlib import Path

import pytest

from lectern.commands.config import mask
from lectern.settings import ROOMS, SettingsError, is_secret, load, to_environ, variable


def test_defaults_say_so() -> None:
    settings = load({})
    assert settings.ingest.rtmp_port == 1935
    assert settings.sources["ingest.rtmp_port"] == "default"


def test_environment_wins_over_the_file_and_each_value_names_its_source(tmp_path: Path) -> None:
    file = tmp_path / "lectern.toml"
    file.write_text("[api]\nport = 9000\nworkers = 2\n", encoding="utf-8")
    settings = load({"LECTERN_API_PORT": "9001", "LECTERN_CONFIG": str(file)})
    assert (settings.api.port, settings.api.workers) == (9001, 2)
    assert settings.sources["api.port"] == "LECTERN_API_PORT"
    assert settings.sources["api.workers"] == f"{file} [api] workers"


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ab" * 32 + "\n", encoding="utf-8")
    settings = load({"LECTERN_MASTER_SECRET_FILE": str(secret)})
    assert settings.lectern.secret_bytes() == b"\xab" * 32


@pytest.mark.parametrize(
    ("environ", "toml", "said"),
    [
        ({"LECTERN_API_PROT": "1"}, "", "LECTERN_API_PROT is not a setting"),
        ({"LECTERN_API_PORT": "http"}, "", "LECTERN_API_PORT must be int, not 'http'"),
        ({"LECTERN_API_ACCEL_REDIRECT": "perhaps"}, "", "must be bool"),
        ({}, "[api]\nprot = 1\n", r"\[api\] has no setting prot"),
        ({}, "[kitchen]\nport = 1\n", r"\[kitchen\] in .* is not a room"),
        ({}, "[api\n", "lectern.toml"),
        ({"LECTERN_MASTER_SECRET": "abcd"}, "", "32 bytes in hexadecimal"),
        ({"LECTERN_MASTER_SECRET_FILE": "/nowhere/at/all"}, "", "No such file"),
        ({"LECTERN_LOG_LEVEL": "loud"}, "", "log_level must be debug"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(environ: dict[str, str], toml: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "lectern.toml"
    file.write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as caught:
        load(environ, file)
    assert "\n" not in str(caught.value).strip()


def test_a_child_process_reads_back_what_its_parent_had() -> None:
    parent = load({"LECTERN_API_PORT": "9001", "LECTERN_MASTER_SECRET": "ab" * 32, "LECTERN_API_ACCEL_REDIRECT": "yes"})
    child = load(to_environ(parent))
    assert child.api == parent.api
    assert child.lectern == parent.lectern


def test_secrets_are_masked_and_nothing_else() -> None:
    secrets = {variable(room, f.name) for room, made_of in ROOMS.items() for f in fields(made_of) if is_secret(f.name)}
    assert {"LECTERN_MASTER_SECRET", "LECTERN_STORAGE_S3_SECRET_KEY"} <= secrets
    assert "LECTERN_API_PORT" not in secrets
    assert mask("master_secret", "ab") == "***"
    assert mask("database_url", "postgresql://lectern:hunter2@db/lectern") == "postgresql://lectern:***@db/lectern"
