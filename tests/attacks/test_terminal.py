"""What a stranger's text may do to a terminal: nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from nosograph.causal.model.load import load_model
from nosograph.commands.shared import emit, print_table, report_problems, say
from nosograph.errors import NosographError, Problem
from nosograph.ontology.knowledge import KnowledgeGraph

STEERING = "a\x1b[2Jb\x1b]8;;http://x\x07c\x9b31m\u202ed\u2066\x00\r\u2028\ud800é, β and 漢"
SHOWN = r"a\u001b[2Jb\u001b]8;;http://x\u0007c\u009b31m\u202ed\u2066\u0000\u000d\u2028\ud800é, β and 漢"


def test_what_is_printed_cannot_steer(capfd: pytest.CaptureFixture[str]) -> None:
    say(STEERING)
    report_problems((Problem(STEERING, value=STEERING),))
    out, err = capfd.readouterr()
    assert out == SHOWN + "\n"
    assert err == f"error: {SHOWN}\n  found: {SHOWN}\n"


def test_json_says_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    emit({"title": STEERING})
    out, _ = capfd.readouterr()
    assert not any(sign in out for sign in "\x1b\x9b\u202e\x7f")
    assert json.loads(out) == {"title": STEERING}


def test_brackets_in_a_table_are_no_markup(capfd: pytest.CaptureFixture[str]) -> None:
    state = random.getstate()
    print_table([{"[red]title": "[link=http://x]a[/link]", "b": "[/"}])
    random.setstate(state)  # rich draws at its first import
    out, _ = capfd.readouterr()
    assert "[link=http://x]a[/link]" in out
    assert "[red]title" in out


@pytest.mark.parametrize("sign", [r"\e[31m", r"\x9b", r"\0", r"\u202E", r"\x7f", r"\u2066"])
@pytest.mark.parametrize("key", ["title: ", "variables: {x: {kind: static, mechanism: 'Normal(0, 1)', title: "])
def test_documents_with_control_characters_are_refused(sign: str, key: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f'id: m\n{key}"a{sign}b"{"}}" if "{" in key else ""}\n')
    with pytest.raises(NosographError, match=r"m\.yaml:2.*control character"):
        load_model(path, knowledge=KnowledgeGraph())
