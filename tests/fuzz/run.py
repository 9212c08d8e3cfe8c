"""Fuzzes one target: `python -P -m tests.fuzz.run TARGET [--inputs N] [--seconds S] [--number N] [--folder F]`.

With atheris on the path (`pip install atheris` beside the project) by coverage, else by `mutator.py`. An input that
breaks a target, takes longer than LONGEST_SECONDS or needs more memory than MORE_BYTES is written to F and named.
"""

import argparse
import gc
import importlib
import importlib.util
import logging
import resource
import signal
import sys
import time
from pathlib import Path
from types import FunctionType

import structlog

from tests.fuzz.mutator import MAX_BYTES, Mutator
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

LONGEST_SECONDS = 5.0
MORE_BYTES = 256 << 20
REPORT_SECONDS = 30.0


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("target", choices=TARGETS)
    words.add_argument("--inputs", type=int, default=200_000)
    words.add_argument("--seconds", type=float, default=float("inf"))
    words.add_argument("--number", type=int, default=int(time.time()))
    words.add_argument("--folder", type=Path, default=Path(".state/fuzz"))
    given = words.parse_args()
    folder: Path = given.folder / given.target
    folder.mkdir(parents=True, exist_ok=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if importlib.util.find_spec("atheris"):
        guided(given.target, given.inputs, given.seconds, given.number, folder)
    return unguided(given.target, given.inputs, given.seconds, given.number, folder)


def unguided(target: str, inputs: int, seconds: float, number: int, folder: Path) -> int:
    """0 when all inputs are well."""
    run, mutator = TARGETS[target], Mutator(seeds(target), number)
    _limit_memory()
    signal.signal(signal.SIGALRM, _hung)
    began = told = time.monotonic()
    done = 0
    while done < inputs and time.monotonic() - began < seconds:
        data = mutator.next()
        signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)
        try:
            run(data)
        except BaseException:
            path = folder / f"crash-{number}-{done}"
            path.write_bytes(data)
            print(f"{target}: input {done} of number {number} breaks it, kept as {path}", file=sys.stderr)
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        done += 1
        if time.monotonic() - told > REPORT_SECONDS:
            told = time.monotonic()
            print(f"{target}: {done} inputs, {round(done / (told - began))} a second", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{target}: {done} inputs in {time.monotonic() - began:.0f} s, number {number}, peak {peak} MB, all well")
    return 0


def guided(target: str, inputs: int, seconds: float, number: int, folder: Path) -> None:
    """By libFuzzer, which ends the process."""
    atheris = importlib.import_module("atheris")  # not a dependency: used where somebody has put it
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for place, seed in enumerate(seeds(target)):
        (corpus / f"seed-{place}").write_bytes(seed)
    for one in gc.get_objects():  # ours alone: all that is loaded would take minutes
        if isinstance(one, FunctionType) and str(one.__module__).startswith(("ingest.", "media.")):
            atheris.instrument_func(one)
    options = [f"-runs={inputs}", f"-seed={number}", f"-max_len={MAX_BYTES}", f"-timeout={LONGEST_SECONDS:.0f}"]
    options += ["-rss_limit_mb=1024", f"-malloc_limit_mb={MORE_BYTES >> 20}", f"-artifact_prefix={folder}/"]
    if seconds != float("inf"):
        options.append(f"-max_total_time={round(seconds)}")
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[target])
    atheris.Fuzz()


def _limit_memory() -> None:
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE_BYTES, used + MORE_BYTES))


def _hung(number: int, frame: object) -> None:
    del number, frame
    raise TimeoutError(f"longer than {LONGEST_SECONDS:g} s")


if __name__ == "__main__":
    sys.exit(main())
