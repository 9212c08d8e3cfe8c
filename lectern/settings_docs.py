"""What the settings files say about their fields, read from their source: `lectern config --docs` and
docs/configuration.md.

Rule: a field's documentation is the string that stands below it, so that it is written once, where the field is.
"""

import ast
import dataclasses
import inspect
import types
import typing
from pathlib import Path
from typing import Any, get_args, get_origin

from lectern.settings import ROOMS, is_secret, variable

INTRODUCTION = """\
# Configuration

Made by `lectern config --docs` from the rooms' `settings.py`; `lectern config` shows what is in force and where each
value came from.

A setting is read from its environment variable, or else from one TOML file: `--config FILE`, or the file that
`LECTERN_CONFIG` names. There it stands under its room, as `rtmp_port` under `[ingest]`. Any variable with `_FILE` at
its end names a file that holds the value: that is how secrets are handed over. Lists are comma-separated in a variable
and arrays in TOML. A name that no room knows is an error.
"""
KINDS = {str: "text", int: "number", float: "number", bool: "true or false", Path: "path"}


@dataclasses.dataclass(frozen=True)
class Documented:
    """One setting as a reader needs it; `text` is empty where its file says nothing about it."""

    room: str
    field: str
    variable: str
    kind: str
    default: str
    text: str


def documented() -> list[Documented]:
    """Every setting of every room, in the order of its file."""
    return [one for room, made_of in ROOMS.items() for one in _of_room(room, made_of)]


def markdown() -> str:
    """The page: a section for each room, a row for each setting."""
    sections = [INTRODUCTION]
    for room, made_of in ROOMS.items():
        rows = [_row(one) for one in _of_room(room, made_of)]
        table = "\n".join(["| setting | default | what it is |", "|---|---|---|", *rows])
        sections.append(f"## [{room}]\n\n{inspect.getdoc(made_of)}\n\n{table}\n")
    return "\n".join(sections)


def field_texts(made_of: type) -> dict[str, str]:
    """The string below each field of a settings class, on one line."""
    body = _class_body(made_of)
    texts: dict[str, str] = {}
    for statement, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            texts[statement.target.id] = _string(below)
    return texts


def _class_body(made_of: type) -> list[ast.stmt]:
    source = Path(inspect.getfile(made_of)).read_text(encoding="utf-8")
    found = (one for one in ast.parse(source).body if isinstance(one, ast.ClassDef) and one.name == made_of.__name__)
    return next(found).body


def _string(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return " ".join(str(statement.value.value).split())
    return ""


def _of_room(room: str, made_of: type) -> list[Documented]:
    texts, hints = field_texts(made_of), typing.get_type_hints(made_of)
    return [
        Documented(
            room,
            field.name,
            variable(room, field.name),
            kind_of(hints[field.name]),
            _default(field),
            texts[field.name],
        )
        for field in dataclasses.fields(made_of)
    ]


def kind_of(hint: Any) -> str:
    """What a person writes for a value of this type."""
    if get_origin(hint) is tuple:
        return f"list of {kind_of(get_args(hint)[0])}s"
    if get_origin(hint) in (types.UnionType, typing.Union):
        return next(kind_of(one) for one in get_args(hint) if one is not types.NoneType)
    return KINDS[hint]


def _default(field: "dataclasses.Field[Any]") -> str:
    value = field.default
    if value is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value in ("", b"", (), None, dataclasses.MISSING):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value)


def _row(one: Documented) -> str:
    secret = " Secret: shown as `***`." if is_secret(one.field) else ""
    default = f"`{one.default}`" if one.default else "–"
    text = f"{one.text}{secret}".replace("|", r"\|")
    return f"| `{one.field}`<br>`{one.variable}` | {default}<br>{one.kind} | {text} |"
