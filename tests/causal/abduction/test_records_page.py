"""docs/records.md: what it shows is read, and what it calls a mistake is refused until its fix is followed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nosograph.causal.abduction import EventReport, Observation, read_record
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError

PAGE = (Path(__file__).parents[3] / "docs" / "records.md").read_text(encoding="utf-8")
MODEL = load_model("alzheimers")
HEADER = re.search(r"with the columns `(.+?)`", PAGE)
MISTAKES = re.findall(r"^\| `(.+?)` \| (.+?) \| `(.+?)` \|$", PAGE, re.M)


def test_the_csv_file(tmp_path: Path) -> None:
    (text,) = re.findall(r"```csv\n(.+?)```", PAGE, re.S)
    (tmp_path / "her.csv").write_text(text)
    record = read_record(tmp_path / "her.csv", model=MODEL)
    assert Observation("mmse", 6, None) in record.observations
    assert record.events == (EventReport("aria_e", 18), EventReport("death", 18, False))


def test_the_json_file(tmp_path: Path) -> None:
    (text,) = re.findall(r"```json\n(.+?)```", PAGE, re.S)
    (tmp_path / "her.json").write_text(text)
    record = read_record(tmp_path / "her.json", model=MODEL)
    assert record.patient == "A17"
    assert Observation("hippocampal_volume_mri", 0, pytest.approx(6.1)) in record.observations  # type: ignore[arg-type]
    assert record.last == 36


def test_the_page_lists_mistakes() -> None:
    assert len(MISTAKES) > 10


@pytest.mark.parametrize(("row", "message", "fixed"), MISTAKES)
def test_each_mistake_is_refused_and_its_fix_works(tmp_path: Path, row: str, message: str, fixed: str) -> None:
    assert HEADER
    path = tmp_path / "her.csv"
    path.write_text(f"{HEADER[1]}\n{row}\n")
    with pytest.raises(NosographError, match=r"her\.csv:2: ") as caught:
        read_record(path, model=MODEL)
    assert message in str(caught.value)
    path.write_text(f"{HEADER[1]}\n{fixed}\n")
    assert read_record(path, model=MODEL).observations or read_record(path, model=MODEL).events
