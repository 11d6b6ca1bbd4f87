"""The catalog's pages say what its models say: every parameter, equation, claim and declared effect, word by word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nosograph.causal.language import Expression, parse_mechanism
from nosograph.causal.language.syntax import Binary, Draw
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Evidence, Model, Schedule, Variable

PAGES = Path(__file__).parents[3] / "docs" / "catalog"
NAMES = ("demographics", "alzheimers")
SECTIONS = {
    "Statics": "static",
    "States": "state",
    "Treatments": "treatment",
    "Events": "event",
    "Measurements": "measurement",
}
EQUATION = re.compile(r"\*\*`(?P<name>\w+)`\*\*: (?P<heading>[^\n]*)\n\n```\n(?P<lines>.*?)```", re.DOTALL)
ADDED = re.compile(r" \(adds a rate to `(\w+)`\)$")


def read_page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def read_tables(page: str, *, first: str) -> list[dict[str, str]]:
    """The rows of all tables whose first column is called `first`, by column."""
    rows: list[dict[str, str]] = []
    columns: list[str] = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            columns = []
        elif not columns:
            columns = cells
        elif set(line) - set("|-"):
            assert len(cells) == len(columns), f"a row of another width: {line}"
            if columns[0] == first:
                rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def read_equations(page: str) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Variable -> its section, its heading, and its lines by key."""
    found = {}
    for section in page.split("\n## ")[1:]:
        for match in EQUATION.finditer(section):
            unfolded = re.sub(r"\n\s+", " ", match["lines"]).strip()
            lines = dict(line.split(": ", 1) for line in unfolded.splitlines())
            found[match["name"]] = (section.splitlines()[0], match["heading"], lines)
    return found


def tell_source(evidence: tuple[Evidence, ...]) -> str:
    (one,) = evidence
    return f"{one.source} ({one.checked})" if one.checked else one.source


def tell_heading(variable: Variable) -> str:
    hidden = variable.kind == "state" or not variable.recorded
    notes = [
        f"unit {variable.unit}" if variable.unit else "",
        variable.concept,
        "never recorded" if hidden else "",
        f"ends the {variable.ends}" if variable.ends != "nothing" else "",
    ]
    told = ", ".join(filter(None, notes))
    return f"{variable.title} ({told})" if told else variable.title


def tell_equations(variable: Variable) -> dict[str, str | Expression]:
    when = {"when": variable.when.text} if isinstance(variable.when, Schedule) else {}
    return {**({"of": variable.of} if variable.of else {}), **when, **variable.expressions}


def add_rates(first: Expression, second: Expression) -> Expression:
    assert isinstance(first, Draw)
    assert isinstance(second, Draw)
    assert first.family == second.family == "Hazard"
    return Draw("Hazard", (Binary("+", first.parameters[0], second.parameters[0]),), ())


@pytest.fixture(scope="module", params=NAMES)
def named(request: pytest.FixtureRequest) -> tuple[Model, str]:
    return load_model(request.param), read_page(request.param)


def test_parameters(named: tuple[Model, str]) -> None:
    model, page = named
    told = [
        (row["parameter"], float(row["value"]), row["unit"], row["meaning"], row["uncertain"], row["source"])
        for row in read_tables(page, first="parameter")
    ]
    held = [
        (
            f"`{p.name}`",
            p.value,
            p.unit,
            p.title,
            f"`{p.uncertain}`" if p.uncertain else "",
            tell_source(p.evidence),
        )
        for p in model.parameters.values()
    ]
    assert sorted(told) == sorted(held)


def test_equations(named: tuple[Model, str]) -> None:
    model, page = named
    told = read_equations(page)
    additions = {name: ADDED.search(heading) for name, (_, heading, _) in told.items()}
    added = {name: match[1] for name, match in additions.items() if match}
    assert set(told) - set(added) == set(model.variables)
    for name, (section, heading, lines) in told.items():
        if name in added:
            continue
        variable = model.variables[name]
        assert (SECTIONS[section], heading) == (variable.kind, tell_heading(variable)), name
        parsed = {key: text if key in ("of", "when") else parse_mechanism(text) for key, text in lines.items()}
        for addition, event in added.items():
            if event == name:
                parsed["mechanism"] = add_rates(
                    parse_mechanism(lines["mechanism"]), parse_mechanism(told[addition][2]["mechanism"])
                )
        assert parsed == tell_equations(variable), name


def test_claims() -> None:
    """A page lists its own model's claims; those of what it imports stand on the other page."""
    model = load_model("alzheimers")
    told = [
        (row["effect"], row["cause"], row["source"], row["what it says"])
        for name in NAMES
        for row in read_tables(read_page(name), first="effect")
        if "cause" in row
    ]
    held = [
        (
            f"`{claim.effect}`",
            f"`{claim.cause}`",
            tell_source(claim.evidence) if claim.evidence else "structural: it measures it" * claim.structural,
            claim.evidence[0].says if claim.evidence else "",
        )
        for claim in model.claims
    ]
    assert sorted(told) == sorted(held)


def test_declared_effects() -> None:
    model = load_model("alzheimers")
    told = []
    for row in read_tables(
        read_page("alzheimers"), first="effect, everybody who enters, last value recorded while alive"
    ):
        match = re.match(r"`(.*)`(?:, (\d+) against (\d+))?", next(iter(row.values())))
        assert match
        told.append((match[1], (float(match[2] or 1), float(match[3] or 0))))
    assert told == [(effect.text.partition(" (")[0], effect.contrast) for effect in model.effects]
    assert {(e.strategy, e.death, e.decision, e.population) for e in model.effects} == {
        ("initiation", "while alive", 0, None)
    }


def test_clock_and_population() -> None:
    """The page's sentences on time and on who enters."""
    model = load_model("alzheimers")
    assert "Only patients with `age >= 50` enter" in read_page("alzheimers")
    assert str(model.population) == "age >= 50"
    for name in NAMES:
        clock = load_model(name).clock
        assert clock.steps == 120
        assert clock.dt == pytest.approx(1 / 12, rel=1e-12)
