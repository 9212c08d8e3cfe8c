"""Reads the files of production as data: compose.yaml with its `${…}` filled in, systemd's units, the Dockerfile."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "tests" / "house" / "data" / "compose-spec.json"
DOMAIN = "lectern.test"
# ${NAME}, ${NAME:-default}, ${NAME:?message} (compose specification, 12-interpolation); "$$" is a dollar.
INTERPOLATION = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def compose_text() -> str:
    return (ROOT / "compose.yaml").read_text(encoding="utf-8")


def compose(**environ: str) -> dict[str, Any]:
    """compose.yaml as `docker compose` reads it: parsed and merged, then its texts interpolated from `environ`."""
    read: dict[str, Any] = _filled(yaml.safe_load(compose_text()), {"DOMAIN": DOMAIN, **environ})
    return read


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(one, values) for one in node]
    if not isinstance(node, str):
        return node

    def value(match: re.Match[str]) -> str:
        return values.get(match["name"], match["rest"] if match["kind"] == "-" else "")

    return INTERPOLATION.sub(value, node)


def schema() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    # The published file names its dialect by https, which the dialect itself does not.
    return {**read, "$schema": "http://json-schema.org/draft-07/schema#"}


def interpolated() -> set[str]:
    return {match["name"] for match in INTERPOLATION.finditer(compose_text())}


def units() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each unit of deploy/systemd as (name, its `Key=value` lines in order)."""
    for path in sorted((ROOT / "deploy" / "systemd").glob("*.service")):
        lines = path.read_text(encoding="utf-8").splitlines()
        yield path.name, [(key, value) for key, _, value in (line.partition("=") for line in lines if "=" in line)]
