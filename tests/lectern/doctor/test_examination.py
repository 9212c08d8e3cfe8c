"""The run of all checks: bounded, in order, and told in lines or JSON with an exit code."""

import json
import time

import pytest
from click.testing import CliRunner, Result

from lectern.__main__ import lectern
from lectern.commands.doctor import PROCESSES
from lectern.doctor.checks import CHECKS, checks_of
from lectern.doctor.examination import examine
from lectern.doctor.finding import Check, Finding, Verdict, good
from lectern.settings import Settings, to_environ
from tests.lectern.doctor.conftest import given


def run(environ: dict[str, str], *arguments: str) -> Result:
    # Whatever this machine has set must not decide.
    return CliRunner(env=environ).invoke(lectern, ["doctor", *arguments])


def test_servers_that_take_a_connection_and_say_nothing_are_not_waited_for(silent_port: int) -> None:
    hanging = given(
        STORAGE_DATABASE_URL=f"postgresql://lectern_app:x@127.0.0.1:{silent_port}/lectern",
        STORAGE_VALKEY_URL=f"redis://127.0.0.1:{silent_port}",
        STORAGE_S3_ENDPOINT=f"127.0.0.1:{silent_port}",
        STORAGE_S3_ACCESS_KEY="a",
        STORAGE_S3_SECRET_KEY="b",
    )
    stores = [check for check in CHECKS if check.title in ("catalogue", "queue", "object store")]
    started = time.monotonic()
    examined = list(examine(stores, hanging, longest_seconds=1.0))
    assert time.monotonic() - started < 5.0
    assert [one.finding.verdict for one in examined] == [Verdict.bad] * 3
    assert {one.finding.found for one in examined} == {"no answer within 1 s"}


def test_a_check_that_fails_itself_is_a_finding_and_order_is_kept() -> None:
    def broken(_settings: Settings) -> Finding:
        raise RuntimeError("the floor gave way\nsecond line")

    examined = list(examine([Check("one", broken), Check("two", lambda _: good("fine"))], given()))
    assert [(one.title, one.finding.found) for one in examined] == [
        ("one", "RuntimeError: the floor gave way"),
        ("two", "fine"),
    ]
    assert examined[0].finding.verdict == Verdict.bad


def test_every_check_has_a_name_of_its_own() -> None:
    assert len({check.title for check in CHECKS}) == len(CHECKS)


def test_a_line_each_and_exit_code_0_where_all_is_well(stores: Settings, dead_port: int) -> None:
    ports = {f"LECTERN_{name}_PORT": str(dead_port) for name in ("API", "INGEST_HTTP", "INGEST_RTMP")}
    well = to_environ(stores) | ports | {"LECTERN_MASTER_SECRET": bytes(range(32)).hex()}
    answer = run(well)
    *lines, summary = answer.stdout.splitlines()
    assert answer.exit_code == 0, answer.stdout
    to_know = sum(line.startswith("!") for line in lines)
    told = f"; {to_know} to know of (!), which keep nothing from working" if to_know else ""
    assert summary == f"{len(CHECKS)} checks, none failed{told}"
    assert len(lines) == len(CHECKS)
    assert {line[0] for line in lines} <= {"✓", "!"}
    assert bytes(range(32)).hex() not in answer.stdout


def test_a_mistake_is_a_cross_with_what_to_do_and_exit_code_1(stores: Settings, dead_port: int) -> None:
    spoilt = to_environ(stores) | {"LECTERN_STORAGE_VALKEY_URL": f"redis://127.0.0.1:{dead_port}"}
    answer = run(spoilt)
    assert answer.exit_code == 1
    crosses = sum(line.startswith("✗") for line in answer.stdout.splitlines())
    assert answer.stdout.splitlines()[-1].startswith(f"{crosses} of {len(CHECKS)} checks failed (✗)")
    (line,) = [line for line in answer.stdout.splitlines() if " queue " in line]
    assert line.startswith("✗")
    assert "→ start it, or mend LECTERN_STORAGE_VALKEY_URL" in line


def test_json_for_machines(stores: Settings) -> None:
    answer = run(to_environ(stores), "--json")
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [one["check"] for one in found] == [check.title for check in CHECKS]
    assert {one["verdict"] for one in found} <= {verdict.value for verdict in Verdict}
    for one in found:
        assert set(one) == {"check", "verdict", "found", "remedy", "seconds"}
        assert bool(one["remedy"]) or one["verdict"] == "good"


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_on_a_machine_of_its_own_is_asked_only_what_it_needs(stores: Settings, process: str) -> None:
    """As in a container of compose: everything but its own volume is read-only."""
    nowhere = {
        "LECTERN_INGEST_SPOOL_FOLDER": "/proc/version/spool",
        "LECTERN_TRANSCODE_WORK_FOLDER": "/proc/version/work",
    }
    well = to_environ(stores) | nowhere | {"LECTERN_MASTER_SECRET": bytes(range(32)).hex()}
    answer = run(well, "--json", "--process", process)
    found = {one["check"]: one["verdict"] for one in map(json.loads, answer.stdout.splitlines())}
    assert {"catalogue", "queue", "object store", "master secret", "packages"} <= set(found)
    assert ("port of RTMP" in found) == ("spool" in found) == (process == "ingest")
    assert ("ffmpeg" in found) == ("work folder" in found) == (process == "worker")
    assert ("port of the API" in found) == (process == "api")
    bad = [check for check, verdict in found.items() if verdict == "bad" and not check.startswith("port")]
    assert bad == {"ingest": ["spool"], "worker": ["work folder"]}.get(process, [])


def test_all_processes_together_are_asked_everything() -> None:
    assert checks_of(PROCESSES) == checks_of(()) == CHECKS
