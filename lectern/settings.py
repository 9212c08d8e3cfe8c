"""Every room's settings, read from the environment and one TOML file, checked, with the source of each value.

The one place that reads configuration. A field of `ingest/settings.py: IngestSettings` named `rtmp_port` is set by
`LECTERN_INGEST_RTMP_PORT`, by a file that `LECTERN_INGEST_RTMP_PORT_FILE` names (secrets), or by `rtmp_port` under
`[ingest]` in the TOML file; the environment wins. What no field knows is an error, so that a misspelt name is not a
silent default.
"""

import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from api.settings import ApiSettings
from ingest.settings import IngestSettings
from lectern.own_settings import LecternSettings
from retention.settings import RetentionSettings
from storage.settings import StorageSettings
from teaching.settings import TeachingSettings
from transcode.settings import TranscodeSettings

PREFIX = "LECTERN_"
CONFIG_VARIABLE = "LECTERN_CONFIG"
# Read by tests, benchmarks and systemd units, never by a room.
FOREIGN_VARIABLES = ("LECTERN_BENCH_", CONFIG_VARIABLE)
SECRET_WORDS = ("secret", "password", "token_key")

Room = TypeVar("Room")


class SettingsError(ValueError):
    """A setting is unknown, missing or malformed; the text is one line that names it."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The effective settings of all rooms; `sources` says where each `room.field` came from."""

    lectern: LecternSettings
    storage: StorageSettings
    ingest: IngestSettings
    api: ApiSettings
    transcode: TranscodeSettings
    retention: RetentionSettings
    teaching: TeachingSettings
    sources: Mapping[str, str]


ROOMS: dict[str, type] = {
    "lectern": LecternSettings,
    "storage": StorageSettings,
    "ingest": IngestSettings,
    "api": ApiSettings,
    "transcode": TranscodeSettings,
    "retention": RetentionSettings,
    "teaching": TeachingSettings,
}


def load(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """Read everything; `config` falls back to the file named by LECTERN_CONFIG. Raises SettingsError."""
    path = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    tables = _read_toml(path) if path else {}
    variables = {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX) and not name.startswith(FOREIGN_VARIABLES)
    }
    sources: dict[str, str] = {}
    rooms: dict[str, Any] = {
        room: _read_room(room, made_of, variables, tables.pop(room, {}), path, sources)
        for room, made_of in ROOMS.items()
    }
    if variables:
        raise SettingsError(f"{min(variables)} is not a setting; `lectern config` lists them all")
    if tables:
        raise SettingsError(f"[{min(tables)}] in {path} is not a room; known: {', '.join(ROOMS)}")
    return Settings(**rooms, sources=sources)


def variable(room: str, field: str) -> str:
    """The environment variable of a field: LECTERN_INGEST_RTMP_PORT; the room `lectern` needs no name of its own."""
    return f"{PREFIX}{field.upper()}" if room == "lectern" else f"{PREFIX}{room.upper()}_{field.upper()}"


def is_secret(field: str) -> bool:
    """Whether a value must be masked wherever it is shown."""
    return any(word in field for word in SECRET_WORDS) or field.endswith("_key")


def to_environ(settings: Settings) -> dict[str, str]:
    """The settings that differ from their defaults as variables, for a child process."""
    environ = {}
    for room, made_of in ROOMS.items():
        values = getattr(settings, room)
        for field in dataclasses.fields(made_of):
            value = getattr(values, field.name)
            if value != _default(field) and value is not None:
                environ[variable(room, field.name)] = _to_text(value)
    return environ


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error


def _read_room(
    room: str,
    made_of: type[Room],
    variables: dict[str, str],
    table: dict[str, Any],
    path: Path | None,
    sources: dict[str, str],
) -> Room:
    hints = typing.get_type_hints(made_of)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(made_of):  # type: ignore[arg-type]
        name = variable(room, field.name)
        written: Any = table.pop(field.name, None)
        source = f"{path} [{room}] {field.name}" if written is not None else "default"
        from_file, direct = variables.pop(f"{name}_FILE", None), variables.pop(name, None)
        if from_file is not None:
            written, source = _read_secret(name, Path(from_file)), f"{name}_FILE"
        if direct is not None:
            written, source = direct, name
        if written is not None:
            values[field.name] = _convert(source, written, hints[field.name])
        sources[f"{room}.{field.name}"] = source
    if table:
        raise SettingsError(f"{path}: [{room}] has no setting {min(table)}")
    try:
        return made_of(**values)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"[{room}] {error}") from error


def _read_secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE={path}: {error.strerror}") from error


def _convert(source: str, written: Any, hint: Any) -> Any:
    wanted = _plain(hint)
    try:
        if get_origin(wanted) is tuple:
            parts = written.split(",") if isinstance(written, str) else list(written)
            return tuple(_convert(source, part, get_args(wanted)[0]) for part in parts if part != "")
        if wanted is bool:
            return _to_bool(written)
        if wanted is bytes:
            return bytes.fromhex(written)
        return wanted(written.strip() if isinstance(written, str) else written)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{source} must be {getattr(wanted, '__name__', wanted)}, not {written!r}") from error


def _plain(hint: Any) -> Any:
    if get_origin(hint) in (types.UnionType, typing.Union):
        return next(_plain(one) for one in get_args(hint) if one is not types.NoneType)
    return hint


def _to_bool(written: Any) -> bool:
    if isinstance(written, bool):
        return written
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(written).lower() not in words:
        raise ValueError(written)
    return words[str(written).lower()]


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return os.fspath(value) if isinstance(value, Path) else str(value)
