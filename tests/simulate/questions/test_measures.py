"""The measures of an effect: each says itself what it is and needs, and nothing else lists them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.simulate.questions import measures
from nosograph.simulate.questions.ask import ask
from nosograph.simulate.questions.measures import list_measures

ROOT = Path(__file__).parents[3]
RATIO = """
from nosograph.simulate.questions.measure import Measure

def compare(question):
    answer = question.describe_contrast(question.gather_outcomes(question.worlds()), what="ratio of means")
    first, second = answer.details["means"].values()
    return answer.with_details(ratio=first / second)

RATIO = Measure("made_ratio", help="the ratio of the means", answer=compare, mediator="optional")
"""


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is searched beside the measures' own."""
    monkeypatch.setattr(measures, "__path__", [*measures.__path__, str(tmp_path)])
    list_measures.cache_clear()
    yield tmp_path
    list_measures.cache_clear()
    sys.modules.pop(f"{measures.__name__}.made_ratio", None)


def test_a_file_is_a_measure(another: Path, make_model: Callable[..., Model]) -> None:
    model = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "y": {"kind": "state", "mechanism": "2 + a"},
        }
    )
    (another / "made_ratio.py").write_text(RATIO)
    assert ask(model, "a -> y @ 1 month", measure="made_ratio", patients=50).details["ratio"] == 1.5
    with pytest.raises(NosographError, match="made_ratio"):
        ask(model, "a -> y @ 1 month", measure="made_ratios", patients=50)
    with pytest.raises(NosographError, match=r"nde.*made_ratio|made_ratio.*nde"):
        ask(model, "a -> y @ 1 month", mediator="y", patients=50)


def test_two_measures_of_one_name_are_a_mistake(another: Path) -> None:
    (another / "made_ratio.py").write_text(RATIO.replace('"made_ratio"', '"ate"'))
    with pytest.raises(ValueError, match=r"'ate'.*ratio\.py"):
        list_measures()


def test_the_page_and_the_help_name_every_measure() -> None:
    page = (ROOT / "docs" / "questions.md").read_text()
    rows = re.findall(r"^\| (`[^|]*`) \|", page.partition("| `--measure` | is |")[2].partition("\n\n")[0], re.MULTILINE)
    named = {name.strip('"').split()[0] for row in rows for name in re.findall(r"`([^`]*)`", row)}
    assert named == set(list_measures())
    code = "import sys, nosograph.commands\nfrom typer.testing import CliRunner\n"
    code += "print(CliRunner().invoke(nosograph.commands.app, ['ask', '--help']).output)\n"
    code += "assert not {'torch', 'numpy', 'pandas', 'pyarrow', 'networkx', 'rdflib'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for measure in list_measures().values():
        assert f"{measure.usage}: " in done.stdout


def test_what_a_measure_needs(make_model: Callable[..., Model]) -> None:
    model = make_model(
        {
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "m": {"kind": "state", "mechanism": "Normal(a, 1)"},
            "y": {"kind": "state", "mechanism": "Normal(m, 1)"},
            "fall": {"kind": "event", "mechanism": "Hazard(1)"},
        }
    )

    def refuse(**question: str) -> str:
        with pytest.raises(NosographError) as raised:
            ask(model, "a -> y @ 1 month", patients=50, **question)
        return raised.value.problems[0].fix or ""

    assert refuse(measure="nde") == "--mediator m", "what lies between cause and outcome"
    assert refuse(measure="cde") == '--mediator "m = 1"'
    assert refuse(measure="cde", mediator="y") == '--mediator "y = 1"'
    assert refuse(measure="strata", mediator="fall = 1") == "--mediator fall"
    assert refuse(measure="rmst") == refuse(measure="risk") == "a -> fall @ …"
    assert refuse(measure="quantile") == refuse(measure="quantile 2") == '--measure "quantile 0.9"'
    assert refuse(measure="ate 0.5") == "--measure ate"
