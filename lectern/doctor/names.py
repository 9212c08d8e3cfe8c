"""Our packages have plain names (`api`, `storage`, …): nobody else may have installed one of the same name."""

import importlib.metadata
import importlib.util
from pathlib import Path

from lectern.doctor.finding import Finding, bad, good
from lectern.settings import Settings

DISTRIBUTION = "lectern"
ROOTS = ("lectern", "api", "ingest", "transcode", "retention", "teaching", "storage", "media", "domain", "bench")
ALONE = "install Lectern into an environment of its own, never beside other programs"


def packages(_settings: Settings) -> Finding:
    """Each root belongs to us alone and lies where the others lie."""
    owners = importlib.metadata.packages_distributions()
    for root in ROOTS:
        # An editable install owns no names (its files are the checkout's): nobody else may, though.
        if strangers := sorted(set(owners.get(root, [])) - {DISTRIBUTION}):
            return bad(f"the package {root} is also {', '.join(strangers)}'s", ALONE)
    folders = {root: folder_of(root) for root in ROOTS}
    missing = [root for root, folder in folders.items() if folder is None]
    if missing:
        return bad(f"not found: {', '.join(missing)}", "install Lectern again")
    home = folders[DISTRIBUTION]
    for root, folder in folders.items():
        if folder != home:
            return bad(f"{root} is taken from {folder}, not from {home}", f"{ALONE}; start by the console script")
    return good(f"{len(ROOTS)} packages under {home}")


def folder_of(root: str) -> Path | None:
    """The folder that holds the package which `import root` finds."""
    spec = importlib.util.find_spec(root)
    return Path(spec.origin).resolve().parents[1] if spec and spec.origin else None
