"""A model as one Markdown page, with every number and equation, so that the model can be rewritten from the page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...errors import fail
from ...ontology.output import write_text
from ...ontology.vocabulary import concept_iri, evidence_iri, local_name
from ..language.syntax import Number
from ..model.claims import count_claims
from ..model.clock import write_steps
from ..model.duration import describe_time
from ..model.model import Claim, Effect, Evidence, Model, Parameter, Schedule, Variable
from ..model.strategies import describe_strategies
from .equations import write_equation

READING = "../documents.md#reading-a-models-page"  # relative to docs/catalog/
HEADINGS = {
    "static": "Statics",
    "state": "States",
    "treatment": "Treatments",
    "event": "Events",
    "measurement": "Measurements",
}
WIDTH = 110  # characters per line of an equation
CODE = re.compile(r"(`[^`]+`)")
SPECIAL = re.compile(r"[\\`*\[\]<&~$]|(?<!\w)_|_(?!\w)")  # Markdown syntax within a line
LEADING = re.compile(r"^(\d*)([-+#>=.)])")  # Markdown syntax at the start of a line


def write_model_page(model: Model, path: str | Path) -> Path:
    """Write the page of `model`, the same bytes each time. Raises NosographError for another file extension, and
    for a path that cannot be written."""
    path = Path(path)
    if path.suffix != ".md":
        raise fail("unknown file extension: a page is a Markdown file", value=path, fix=f"{path.stem}.md")
    write_text(path, render_page(model))
    return path


def render_page(model: Model) -> str:
    """The page as Markdown: the model, its declared effects, its parameters, and its variables by kind.
    Imported variables and parameters are included like its own."""
    parts = [_render_head(model)]
    if model.effects:
        rows = [_describe_effect(effect, model) for effect in model.effects]
        parts.append(["## Declared effects", "", *_render_table(rows)])
    if model.parameters:
        rows = [_describe_parameter(parameter) for parameter in model.parameters.values()]
        parts.append(["## Parameters", "", *_render_table(rows)])
    for kind, heading in HEADINGS.items():
        variables = [variable for variable in model.variables.values() if variable.kind == kind]
        if variables:
            parts.append([f"## {heading}", "", *_render_table([_describe_variable(v) for v in variables])])
            parts += [_render_variable(variable) for variable in variables]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _render_head(model: Model) -> list[str]:
    clock, counts = model.clock, count_claims(model.claims)
    unit = clock.text[2]
    population = f"patients with {_code(model.population)} at step 0" if model.population else "all simulated patients"
    named = f"`{model.id}`, version {_escape(model.version)}" if model.version else f"`{model.id}`"
    lines = [f"# {_escape(model.title or model.id)}", "", f"{named}. Written by `nosograph model document`.", ""]
    if model.description:
        text = LEADING.sub(r"\1\\\2", _escape(model.description))
        lines += [text, ""]
    if model.disease:
        lines.append(f"- **Disease:** {_link_concept(model.disease)}")
    lines += [
        f"- **Clock:** from 0 to {write_steps(clock)}; `t` and `dt` are in {unit}s, `dt` = {clock.dt:.12g}",
        f"- **Population:** {population}",
        *_describe_imports(model),
        f"- **Claims:** {counts.claims} causal claims: {counts.cited} cited ({counts.curated} of them as "
        f"curated by a database, {counts.recalled} recalled, not looked up), {counts.assumed} assumed; "
        f"{counts.structural} more links only say what a measurement measures",
        f"- **How to read the equations:** [documents]({READING})",
    ]
    return lines


def _describe_imports(model: Model) -> list[str]:
    """One line for each model from which something is imported."""
    names: dict[str, list[str]] = {}
    items: list[Variable | Parameter] = [*model.variables.values(), *model.parameters.values()]
    for item in items:
        origin = re.sub(r"/(var|par)/[^/]*$", "", item.iri)
        if origin not in (model.iri, item.iri):
            names.setdefault(local_name(origin), []).append(f"`{item.name}`")
    return [f"- **Imported from `{origin}`:** {', '.join(found)}" for origin, found in names.items()]


def _describe_effect(effect: Effect, model: Model) -> dict[str, str]:
    return {
        "effect": _code(f"{effect.treatment} -> {effect.outcome}"),
        "at": describe_time(effect.by, model.clock),
        "contrast": _escape(model.write_contrast(effect)),
        "decided at": describe_time(effect.decision, model.clock),
        "strategy": effect.strategy,
        "among": _code(effect.population) if effect.population else "",
        "intercurrent events": describe_strategies(effect, model),
    }


def _describe_parameter(parameter: Parameter) -> dict[str, str]:
    return {
        "parameter": _code(parameter.name),
        "value": str(Number(parameter.value)),
        "unit": _code(parameter.unit),
        "meaning": _escape(parameter.title),
        "uncertainty": _code(parameter.uncertain or ""),
        "formula": _code(parameter.formula or ""),
        "evidence": "; ".join(
            _link_source(item)
            + (f" ({item.checked})" if item.checked else "")
            + (f": {_escape(item.says)}" * bool(item.says))
            for item in parameter.evidence
        ),
    }


def _describe_variable(variable: Variable) -> dict[str, str]:
    """A variable without its equations and claims."""
    measured, event = variable.kind == "measurement", variable.kind == "event"
    when = variable.when.text if isinstance(variable.when, Schedule) else "" if variable.when else "every step"
    return {
        "variable": _code(variable.name),
        "meaning": _escape(variable.title),
        "unit": _code(variable.unit),
        "levels": _describe_levels(variable),
        "concept": _link_concept(variable.concept) if variable.concept else "",
        "of": _code(variable.of),
        "when": (when or "see below") if measured else "",
        "occurs": variable.occurs if event else "",
        "ends": variable.ends if event else "",
        "competes": _code(variable.competes),
        "any_of": ", ".join(map(_code, variable.any_of)),
        "recorded": "yes" if variable.recorded and variable.kind != "state" else "no",
    }


def _describe_levels(variable: Variable) -> str:
    """The levels where the equations do not name them, or where they are in order."""
    if not variable.declared_levels and not variable.has_order:
        return ""
    return ", ".join(map(_code, variable.levels)) + (" (in order)" if variable.has_order else "")


def _render_variable(variable: Variable) -> list[str]:
    lines = [f"### `{variable.name}`"]
    if variable.expressions:
        equations = []
        for key, expression in variable.expressions.items():
            first, *table = write_equation(expression)
            equations += [f"{key}: {first}", *(f"    {line}" for line in table)]
        fence = "`" * max(3, 1 + _longest_run("".join(equations)))
        wrapped = (
            textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
            for text in equations
        )
        lines += ["", fence, *(line for text in wrapped for line in text), fence]
    rows = [row for claim in variable.claims for row in _describe_claim(claim)]
    return [*lines, "", *_render_table(rows)] if rows else lines


def _describe_claim(claim: Claim) -> list[dict[str, str]]:
    """One row per piece of evidence."""
    if claim.structural and not claim.evidence:
        return [{"cause": _code(claim.cause), "source": "what is measured", "checked": "", "says": ""}]
    return [
        {
            "cause": _code(claim.cause),
            "source": _link_source(item),
            "checked": item.checked or "",
            "says": _escape(item.says),
        }
        for item in claim.evidence or (Evidence("assumption"),)
    ]


def _link_source(evidence: Evidence) -> str:
    if evidence.assumed or evidence.source.startswith("axiom:"):  # no page shows an axiom
        return _escape(evidence.source)
    return f"[{_escape(evidence.source)}](<{evidence_iri(evidence.source)}>)"


def _link_concept(concept: str) -> str:
    return f"[{_escape(concept)}](<{concept_iri(concept)}>)"


def _render_table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A table without its empty columns."""
    columns = [column for column in (rows[0] if rows else ()) if any(row[column] for row in rows)]
    cells = [columns, *([row[column] for column in columns] for row in rows)]
    lines = [_render_row(line) for line in cells]
    return [lines[0], "|" + "---|" * len(columns), *lines[1:]]


def _render_row(cells: Iterable[str]) -> str:
    """A row of a table; pipes in its cells, including code, are escaped with a backslash."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: object) -> str:
    """A code span, also around backticks (CommonMark 6.1); empty for empty text."""
    plain = str(text)
    ticks = "`" * (1 + _longest_run(plain))
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}" if plain else ""


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _escape(text: str) -> str:
    """Escape text for Markdown, on one line; only `code` spans keep their meaning."""
    parts = CODE.split(" ".join(text.split()))
    return "".join(part if CODE.fullmatch(part) else SPECIAL.sub(r"\\\g<0>", part) for part in parts)
