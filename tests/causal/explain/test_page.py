"""A page holds the whole model: it is read back, and nothing is missing or other than it was."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from nosograph.causal.explain.page import render_page, write_model_page
from nosograph.causal.language import parse_mechanism
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Claim, Evidence, Model, Parameter
from nosograph.errors import NosographError

MODELS = Path(__file__).parents[2] / "models"
SOURCES = ["alzheimers", "sepsis", "demographics", str(MODELS / "core_everything.yaml")]
ODD = "a|b `c|d` *e* _f_ g_h <i> [j] \\ k & l"


@pytest.fixture(scope="module", params=SOURCES)
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param)


def read_tables(page: str, *, first: str) -> list[dict[str, str]]:
    """The rows of the tables whose first column is `first`, cells as written."""
    rows: list[dict[str, str]] = []
    columns: list[str] = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not columns or not cells:
            columns = cells
        elif set(line) - set("|-"):
            assert len(cells) == len(columns), line
            rows += [dict(zip(columns, cells, strict=True))] if columns[0] == first else []
    return rows


def read_sections(page: str) -> dict[str, tuple[dict[str, str], str]]:
    """Variable -> its equations by key, and its section."""
    found = {}
    for name, section in re.findall(r"^### `(\w+)`\n(.*?)(?=\n##|\Z)", page, re.DOTALL | re.MULTILINE):
        block = re.search(r"^```\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
        lines = re.sub(r"\n +", " ", block[1]).splitlines() if block else []
        found[name] = (dict(line.split(": ", 1) for line in lines), section)
    return found


def read_code(cell: str) -> str:
    return cell.strip("`")


def read_link(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", re.sub(r"\]\(<.*?>\)", "", cell).removeprefix("["))


def test_parameters(model: Model) -> None:
    rows = read_tables(render_page(model), first="parameter")
    told = [
        (
            read_code(row["parameter"]),
            float(row["value"]),
            read_code(row.get("unit", "")),
            read_code(row.get("uncertainty", "")),
        )
        for row in rows
    ]
    assert told == [(p.name, p.value, p.unit, str(p.uncertain or "")) for p in model.parameters.values()]
    for row, parameter in zip(rows, model.parameters.values(), strict=True):
        for item in parameter.evidence:
            assert item.source in read_link(row["evidence"])
            assert item.says in row["evidence"]


def test_variables(model: Model) -> None:
    page = render_page(model)
    rows = {read_code(row["variable"]): row for row in read_tables(page, first="variable")}
    sections = read_sections(page)
    assert rows.keys() == sections.keys() == model.variables.keys()
    for name, variable in model.variables.items():
        row, (equations, section) = rows[name], sections[name]
        assert {key: parse_mechanism(text) for key, text in equations.items()} == variable.expressions, name
        assert read_code(row.get("unit", "")) == variable.unit
        assert read_link(row.get("concept", "")) == variable.concept
        assert row["recorded"] == ("no" if variable.kind == "state" or not variable.recorded else "yes")
        if variable.kind == "event":
            assert (row["occurs"], row["ends"]) == (variable.occurs, variable.ends)
            assert read_code(row.get("competes", "")) == variable.competes
        if variable.kind == "measurement":
            assert read_code(row["of"]) == variable.of
            assert row["when"] == getattr(variable.when, "text", "see below")
        told = [
            (read_code(r["cause"]), read_link(r["source"]), r.get("checked", ""), r.get("says", ""))
            for r in read_tables(section, first="cause")
        ]
        held = [
            (claim.cause, item.source, item.checked or "", item.says)
            for claim in variable.claims
            for item in claim.evidence or (Evidence("what is measured"),)
        ]
        assert told == held, name


def test_the_head_and_the_effects() -> None:
    model = load_model("alzheimers")
    page = render_page(model)
    assert "in 120 steps of 1 month; `t` and `dt` are in years" in page
    assert "patients with `age >= 50` at step 0" in page
    assert "**Imported from `demographics`:** `age`, `sex`" in page
    told = [(read_code(row["effect"]), row["at"], row["contrast"]) for row in read_tables(page, first="effect")]
    assert told[3] == ("apoe4 -> hippocampal_volume_mri", "24 months", "2 against 0")
    assert len(told) == len(model.effects)


def test_text_is_shown_as_it_is() -> None:
    """Pipes, backticks and whatever else Markdown reads."""
    model = load_model("demographics")
    claim = Claim("age", "education", (Evidence("PMID:1", "text", ODD), Evidence("assumption")))
    age = replace(model.variables["age"], title=ODD, unit="a|`b", claims=(claim,))
    derived = Parameter("derived", "x:derived", float("inf"), formula=parse_mechanism("age_mean / 0"))
    page = render_page(
        replace(
            model,
            description=f"# {ODD}",
            variables={**model.variables, "age": age},
            parameters={**model.parameters, "derived": derived},
        )
    )
    shown = "a|b `c|d` \\*e\\* \\_f\\_ g_h \\<i> \\[j\\] \\\\ k \\& l"
    assert f"\n\\# {shown}\n" in page
    (row,) = [row for row in read_tables(page, first="variable") if row["variable"] == "`age`"]
    assert row["meaning"] == shown.replace("|", "\\|")
    assert row["unit"] == "``a\\|`b``"
    assert [r["says"] for r in read_tables(read_sections(page)["age"][1], first="cause")] == [row["meaning"], ""]
    (row,) = [row for row in read_tables(page, first="parameter") if row["parameter"] == "`derived`"]
    assert (row["value"], row["formula"]) == ("inf", "`age_mean / 0`")


def test_a_page_is_written_to_markdown(tmp_path: Path) -> None:
    model = load_model("demographics")
    assert write_model_page(model, tmp_path / "people.md").read_text(encoding="utf-8") == render_page(model)
    with pytest.raises(NosographError, match="a page is a Markdown file"):
        write_model_page(model, tmp_path / "people.html")
