"""What reaches a log, as a real process writes it; no secret does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

ROOT = Path(__file__).resolve().parents[2]
ITEM = UUID(int=7)
HUSH = "hush-hush-hush"

SCRIPT = """
import logging, sys
import structlog
from lectern import logs
logs.configure("ingest", sys.argv[2], sys.argv[1])
log = structlog.get_logger()
"""


def lines_of(written: str, style: str = "json", level: str = "info") -> list[str]:
    """What a process that runs `written` after setting up its logs puts on stderr; stdout stays empty."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT + written, style, level],
        check=True, capture_output=True, text=True, timeout=60, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_a_line_is_json_with_its_process_level_and_time() -> None:
    (line,) = lines_of("log.info('take started', session='七')")
    written = json.loads(line)
    assert (written["event"], written["session"], written["process"], written["level"]) == (
        "take started", "七", "ingest", "info",
    )  # fmt: skip
    assert written["timestamp"].endswith("Z")


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_is_written_whichever_way_it_comes(style: str) -> None:
    written = "\n".join(
        [
            f"path = '/live/{ITEM}/{HUSH}/x'",
            f"log.info('watched', path='/live/{ITEM}/{HUSH}/index.m3u8')",
            f"log.info('GET /replay/{ITEM}/{HUSH}/720p.m3u8 200')",
            f"log.info('publish', address='rtmp://127.0.0.1:1935/live/{HUSH}')",
            f"log.info('whip', header='Bearer {HUSH}')",
            f"log.info('signed in', password='{HUSH}', csrf_token='{HUSH}', key='{HUSH}', cookie='{HUSH}')",
            f"log.info('store', url='postgresql://lectern_app:{HUSH}@db/lectern')",
            f"log.info('nested', request={{'headers': {{'authorization': '{HUSH}'}}, 'parts': [path]}})",
            f"log.info('raised', error=ValueError('/live/{ITEM}/{HUSH}/main.m3u8 is gone'))",
            f"logging.getLogger('uvicorn').warning('%s', '/live/{ITEM}/{HUSH}/main.m3u8')",
            "try:\n    raise ValueError(path)\nexcept ValueError:\n    log.exception('failed')",
            "try:\n    raise ValueError(path)\nexcept ValueError:\n    logging.getLogger('x').exception('failed too')",
        ]
    )
    text = "\n".join(lines_of(written, style))
    # A traceback shows the line of source it stands in: this script's own text, which no process of ours has.
    shown = "\n".join(line for line in text.splitlines() if "<string>" not in line)
    assert HUSH not in shown
    assert shown.count("***") >= 13
    # What is not a secret stays: the item, the file, the user, the host.
    for kept in (str(ITEM), "index.m3u8", "lectern_app", "@db/lectern"):
        assert kept in shown


def test_object_keys_are_no_secrets() -> None:
    (line,) = lines_of(f"log.info('reel stored', object_key='recordings/{ITEM}/source/00001.m4s')")
    assert json.loads(line)["object_key"] == f"recordings/{ITEM}/source/00001.m4s"


def test_the_level_holds_for_ours_and_libraries_speak_from_warning_on() -> None:
    written = (
        "log.debug('a'); log.info('b'); log.warning('c')\n"
        "logging.getLogger('x').info('d'); logging.getLogger('x').warning('e')"
    )
    assert [json.loads(line)["event"] for line in lines_of(written)] == ["b", "c", "e"]
    assert [json.loads(line)["event"] for line in lines_of(written, level="error")] == []
    assert [json.loads(line)["event"] for line in lines_of(written, level="debug")] == ["a", "b", "c", "e"]
