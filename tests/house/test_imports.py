"""House habit: arrows point down. The contracts stand in pyproject.toml, under [tool.importlinter]."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], check=False, capture_output=True, text=True, timeout=110, cwd=folder)


def test_every_contract_is_kept() -> None:
    ran = lint_imports(ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert f"Contracts: {len(contracts)} kept, 0 broken." in ran.stdout


def test_an_arrow_that_points_up_would_be_found(tmp_path: Path) -> None:
    """The same contracts over a house of two files."""
    config = (ROOT / "pyproject.toml").read_text("utf-8")
    roots = tomllib.loads(config)["tool"]["importlinter"]["root_packages"]
    (tmp_path / "pyproject.toml").write_text(
        config[config.index("[tool.importlinter]") :].split('name = "RTMP')[0].rsplit("[[", 1)[0], "utf-8"
    )
    for root in roots:
        (tmp_path / root).mkdir()
        (tmp_path / root / "__init__.py").write_text("", "utf-8")
    assert lint_imports(tmp_path).returncode == 0
    (tmp_path / "storage" / "table.py").write_text("import api", "utf-8")
    (tmp_path / "domain" / "rule.py").write_text("import asyncio", "utf-8")
    broken = lint_imports(tmp_path)
    assert broken.returncode == 1
    assert "storage is not allowed to import api" in broken.stdout
    assert "domain is not allowed to import asyncio" in broken.stdout
