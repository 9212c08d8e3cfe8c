"""House habit: docs/metrics.md lists each metric of ingest, and alarms ask for no other; each verdict has its words."""

import re
from pathlib import Path

import pytest

from domain.encoder_health import HealthCode
from ingest.metrics import PREFIX, Metrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "metrics.md"
RULES = ROOT / "deploy" / "prometheus" / "lectern.rules.yml"
LANGUAGES = ("zh-CN", "en")


def exposed() -> dict[str, str]:
    """Every metric's name as it is asked for, and its type."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in Metrics().registry.collect()
    }


def documented() -> dict[str, str]:
    rows = re.findall(
        rf"^\| `({PREFIX}\w+)(?:\{{\w+\}})?` \| (\w+) \| [^|]+ \| [^|]+ \|$", PAGE.read_text("utf-8"), re.M
    )
    assert len(rows) == len(dict(rows)), "each stands there once"
    return dict(rows)


def test_the_page_lists_what_the_process_tells() -> None:
    assert documented() == exposed()


def test_alarms_ask_for_metrics_that_there_are() -> None:
    asked = {name.removesuffix("_bucket") for name in re.findall(rf"{PREFIX}\w+", RULES.read_text("utf-8"))}
    assert asked
    assert asked <= set(exposed())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_is_said_with_what_to_do(language: str) -> None:
    text = (ROOT / "web" / "src" / "locales" / language / "live.ts").read_text("utf-8")
    for code in set(HealthCode) - {HealthCode.good}:
        assert re.search(rf"^\s+{code}: \{{\s*what: [^}}]+[\s\S]*?act: ", text, re.M), code
