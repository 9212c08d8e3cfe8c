"""What an encoder says it sent is read from its progress report, and from nothing less."""

from pathlib import Path

import pytest

from bench.encoders import frames_sent
from lectern.complaint import Complaint

REPORT = "frame=60\nfps=30.0\nprogress=continue\nframe=  75\nfps=30.0\nprogress=end\n"


def test_the_last_count_is_the_one(tmp_path: Path) -> None:
    log = tmp_path / "encoder-0.log"
    log.write_text(REPORT)
    assert frames_sent(log) == 75


@pytest.mark.parametrize("said", ["", "Connection refused\n", REPORT.replace("progress=end\n", "")])
def test_a_report_without_its_end_counts_nothing(tmp_path: Path, said: str) -> None:
    log = tmp_path / "encoder-0.log"
    log.write_text(said)
    with pytest.raises(Complaint, match="encoder-0"):
        frames_sent(log)
