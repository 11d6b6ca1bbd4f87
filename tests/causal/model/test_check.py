"""Each mistake in a document is found, placed and explained; nothing a document says ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nosograph.causal.model.check import check_model
from nosograph.causal.model.compose import list_catalog
from nosograph.errors import Problem

SIX = Path(__file__).parents[2] / "models" / "six.yaml"
TEXT = SIX.read_text()


def check(path: Path, *changes: tuple[str, str]) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = path / "six.yaml"
    file.write_text(text, encoding="utf-8")
    report = check_model(file)
    assert report.ok == (not report.errors)
    assert all(problem.file == str(file) and problem.line > 0 for problem in (*report.errors, *report.warnings))
    return report.errors, report.warnings


def test_a_sound_model_is_counted() -> None:
    report = check_model(SIX)
    assert report.ok
    assert [report.counts[key] for key in ("variables", "claims", "cited", "recalled", "assumed")] == [6, 7, 0, 0, 7]
    assert report.errors == report.warnings == ()


def test_evidence_is_counted(tmp_path: Path) -> None:
    text = TEXT.replace("{source: assumption}\n", '{evidence: "PMID:1", checked: recalled}\n', 3)
    text = text.replace(
        "{source: assumption}\n", '{evidence: ["PMID:1", "doi:10.1000/x"], checked: text, says: so}\n', 1
    )
    (tmp_path / "six.yaml").write_text(text)
    report = check_model(tmp_path / "six.yaml")
    assert [report.counts[key] for key in ("claims", "cited", "recalled", "assumed")] == [7, 4, 3, 3]


@pytest.mark.parametrize("name", list_catalog())
def test_the_catalog_has_no_error(name: str) -> None:
    assert check_model(name).errors == ()


DRIFT = "Normal(severity[-1] + dt * (progression - benefit * treated[-1]), 1.0 * sqrt(dt))"
START = "Normal(20 + 4 * risk + 0.1 * (age - 70), 4)"

MISTAKES = [
    # what is changed, to what, the line of the mistake, a part of the problem, a part of the fix
    ("id: six", "id: [six", 2, "not YAML", "quotation marks"),
    ("Bernoulli(0.4)", 'Categorical("a": 0.4, "b": 0.6)', 19, "not YAML", "'Categorical(\"a\": 0.4, \"b\": 0.6)'"),
    ("id: six", "id: six\nid: seven", 2, "the key 'id' occurs twice, first in line 1", "each key once"),
    ("id: six", "id: !!python/object/apply:os.system six", 1, "tags have no place", "without its tag"),
    ("mechanism: Uniform(45, 90)", "mechanisn: Uniform(45, 90)", 16, "unknown key 'mechanisn'",
     "mechanism: Uniform(45, 90)"),
    ("title: Six", "titel: Six", 2, "unknown key 'titel'", "title: Six"),
    ("horizon: 3", "horison: 3", 5, "unknown key 'horison'", "horizon: 3 years"),
    ("kind: static", "kind: statik", 14, "'kind' cannot be this", "kind: static"),
    ("ends: journey", "ends: journy", 44, "'ends' cannot be this", "ends: journey"),
    ("value: 2.0", "value: two", 9, "'value' is not as it should be", "value: 1.5"),
    ("value: 2.0", "value: .nan", 9, "'value' is not as it should be", ""),
    ("value: 2.0, ", "", 9, "the key 'value' is missing", "value:"),
    ("kind: static\n", "\n", 13, "the key 'kind' is missing", "kind: static"),
    ("id: six", "id: Six", 1, "'Six' is not an identifier", "small letters"),
    ("  age:\n", "  __class__:\n", 13, "'__class__' is not a name", "starting with a letter"),
    ("  age:\n    kind", "  exp:\n    kind", 13, "'exp' is a reserved word", "exp_"),
    ("  progression: {", "  age: {", 13, "a parameter and a variable have the same name", "rename one"),
    ("unit: a", "unit: years", 15, "not a UCUM unit", "a"),
    ("unit: a", "concept: XX:12", 15, "unknown prefix 'XX'", "HP"),
    ("unit: a", "concept: HP:9999999", 15, "there is no such concept", ""),
    ("unit: a", "concept: Alzheimer disease", 15, "a concept is named by its CURIE", "HP:0002511"),
    ("Uniform(45, 90)", "Uniform(45, rsk)", 16, "'rsk' is not declared", "mechanism: Uniform(45, risk)"),
    ("- benefit *", "- benifit *", 23, "'benifit' is not declared", "progression - benefit * treated[-1]"),
    ("0.1 * (age - 70)", "0.1", 25, "severity.caused_by claims 'age', which no expression of severity reads",
     "read age"),
    ("      age: {source: assumption}\n      risk", "      risk", 20,
     "severity.start reads 'age', which severity.caused_by does not claim", "  age: {source: assumption}"),
    ("risk: {source: assumption}", "rysk: {source: assumption}", 26, "'rysk' is not declared", "risk"),
    ("risk: {source: assumption}", "benefit: {source: assumption}", 26, "'benefit' is a parameter", "remove benefit"),
    ("risk: {source: assumption}", "risk: {source: assumption}\n      severity: {source: assumption}", 27,
     "own past needs no claim", "remove severity"),
    ("of: severity", "of: severty", 30, "'severty' is not declared", "severity"),
    ("Normal(severity, 2)", "Normal(2, 2)", 30, "severity_rated.of claims 'severity'", "severity in the mechanism"),
    ("risk: {source: assumption}", "risk:", 26, "the claim has no evidence", "source: assumption"),
    ("risk: {source: assumption}", 'risk: {evidence: "PMID:x", checked: text}', 26, "neither a PMID nor a DOI",
     "PMID:12345678"),
    ("risk: {source: assumption}", 'risk: {evidence: "PMID:1"}', 26, "must say how far it was checked",
     "checked: recalled"),
    ("risk: {source: assumption}", 'risk: {evidence: "PMID:1", checked: recalled, says: x}', 26, "none was read",
     "no says"),
    ("risk: {source: assumption}", 'risk: {evidence: "PMID:1", checked: text, source: assumption}', 26,
     "cited and assumed", ""),
    ("Normal(severity[-1]", "Normal(severity", 23, "'severity' reads its own value in the same step", "severity[-1]"),
    ("severity[-1] + dt", "severity[-37] + dt", 23, "exceeds the 36 steps", "severity[-1]"),
    (f"start: {START}", f"start: {START.replace('age', 'severity[-1]')}", 22, "at step 0 'severity' has no past",
     "start: Normal(0, 1)"),
    (f"    start: {START}\n", "", 22, "has no start, but its mechanism reads its past", "start: Normal(0, 1)"),
    (f"    mechanism: {DRIFT}\n", "", 20, "missing key 'mechanism'", "mechanism: severity[-1]"),
    ("kind: event", "kind: event\n    start: Bernoulli(0.1)", 44, "an event has no 'start'", "kind: state"),
    ("kind: state", "kind: state\n    missing: Bernoulli(0.1)", 22, "a state has no 'missing'", "kind: measurement"),
    ("kind: state", "kind: state\n    recorded: true", 22, "a state is never recorded", "measurement"),
    ("mechanism: Uniform(45, 90)", "mechanism: Hazard(1)", 16, "only events can have a Hazard", "Bernoulli"),
    ("Hazard(exp(", "Normal(1, exp(", 45, "events take Bernoulli or Hazard", "Bernoulli(…) or Hazard(…)"),
    ("Bernoulli(0.05 + 0.1 * risk)", "Normal(risk, 1)", 33, "'missing' takes Bernoulli", "Bernoulli(…)"),
    ("severity[-1])", "severity)", 45, "first in its step and cannot read the new 'severity'", "severity[-1]"),
    ("Normal(severity, 2)", "Normal(severity + ever(risk), 2)", 32, "ever() takes an event, but 'risk' is a static",
     "risk"),
    ("progression -", "progression[-1] -", 23, "'progression' has no past", "progression"),
    ("step: 1 month", "step: 4 years", 5, "the horizon must be", "at least 4 years"),
    ("step: 1 month", "step: 1 minute", 5, "the horizon must be", "a longer step"),
    ("step: 1 month", "step: 7 months", 31, "off the grid of steps", "such as 7 months"),
    ("step: 1 month", "step: 1 mnth", 5, "'mnth' is not a unit of time", "1 month"),
    ("clock: {step: 1 month, horizon: 3 years, unit: year}\n", "", 1, "has no clock", "clock: {step:"),
    ("every 3 months", "every 10 days", 31, "off the grid of steps", "a multiple of 1 month"),
    ("every 3 months", "at 0, 48 months", 31, "past the horizon", "at most 3 years"),
    ("@ 18 months", "@ 18 years", 51, "past the horizon", "at most 3 years"),
    ("@ 18 months", "@ 0 months", 51, "before the decision", "later"),
    ('"treated ->', '"treatd ->', 51, "unknown variable 'treatd'", "treated"),
    ('"treated ->', '"age ->', 51, "'age' is not binary", "contrast: [2, 0]"),
    ('"treated -> severity_rated @ 18 months"', "severity_rated at 18", 51, "not an effect", "->"),
    ('"treated -> severity_rated @ 18 months"', '{effect: "treated -> severity_rated @ 1 year", death: composite}',
     51, "death: composite and a composite value", "composite: 18"),
    ("age >= 50", "agee >= 50", 6, "'agee' is not declared", "age"),
    ("age >= 50", "severity[-1] >= 50", 6, "the population is selected at the start", "age >= 50"),
    ("age >= 50", "Normal(age, 1) >= 50", 6, "a distribution is not allowed here", "expression"),
    ('effects:\n', 'effects:\n  - wrong\n  - {effect: treated -> severity @ 1 year, population: "agee > 60"}\n', 52,
     "'agee' is not declared", "age"),
    ('uncertain: "Normal(3, 0.5)"', 'uncertain: "Normal(risk, 0.5)"', 10, "uncertain must contain numbers only",
     "Normal"),
    ("(age - 70)", '(__import__("os") - 70)', 22, "'__import__' is not a valid name", "letter"),
    ("(age - 70)", "(open - 70)", 22, "'open' is not declared", "declare"),
    ("(age - 70)", '(eval("1") - 70)', 22, "unknown function 'eval'", "exp"),
    ("(age - 70)", "(age.__class__ - 70)", 22, "unexpected character '.'", "names"),
    ("(age - 70)", "(" * 1_000_000 + "age" + ")" * 1_000_000, 22, "longer than", "several variables"),
    ("(age - 70)", "(" * 5_000 + "age" + ")" * 5_000, 22, "nested deeper", "several variables"),
    ("Bernoulli(0.4)", "'risk == \"high\"'", 19, "compared with something that has no levels", "Categorical"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "problem", "fix"), MISTAKES, ids=lambda value: str(value)[:40])
def test_each_mistake_is_found(old: str, new: str, line: int, problem: str, fix: str, tmp_path: Path) -> None:
    errors, _ = check(tmp_path, (old, new))
    found = [error for error in errors if problem in error.problem]
    assert len(found) == 1, errors
    assert found[0].line == line
    assert fix in found[0].fix


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    changes = [("progression -", "progresion -"), ("every 3 months", "every 5 days"), ("18 months", "18 years"),
               ("unit: a", "unit: years"), ("Bernoulli(0.4)", "Bernoulli(")]  # fmt: skip
    errors, _ = check(tmp_path, *changes)
    assert sorted(error.line for error in errors) == [15, 19, 23, 31, 51]
    keys = [("value: 2.0", "valeu: 2.0"), ("kind: state", "kind: stat"), ("source: assumption, title", "title")]
    errors, _ = check(tmp_path, *keys)
    assert sorted({error.line for error in errors}) == [9, 21]


def test_an_instantaneous_cycle_is_shown(tmp_path: Path) -> None:
    errors, _ = check(
        tmp_path,
        ("benefit * treated[-1]", "benefit * treated"),
        ("mechanism: treated[-1]", "mechanism: Bernoulli(where(severity_rated > 20, 1, 0))"),
    )
    (cycle,) = errors
    assert "within one step" in cycle.problem
    nodes = cycle.value.split(" -> ")
    assert nodes[0] == nodes[-1]
    turned = [*nodes, *nodes[1:]]
    assert "severity -> severity_rated -> treated -> severity" in " -> ".join(turned)


def test_a_lagged_loop_is_fine_but_not_at_the_start(tmp_path: Path) -> None:
    assert check(tmp_path) == ((), ())  # severity and treated read each other's past
    errors, _ = check(tmp_path, ("0.1 * (age - 70)", "0.1 * (age - 70) + treated[-1]"))
    assert any("at step 0" in error.problem for error in errors)


def test_competing_events_wait_for_each_others_causes(tmp_path: Path) -> None:
    """They are decided together, so what one waits for may not wait for the other."""
    events = """
  stroke:
    kind: event
    competes: vessel
    mechanism: Hazard(0.1 * load)
    caused_by: {load: {source: assumption}}
  infarct: {kind: event, competes: vessel, mechanism: Hazard(0.1)}
  load:
    kind: state
    mechanism: where(infarct, 1, 0)
    caused_by: {infarct: {source: assumption}}
"""
    errors, _ = check(tmp_path, ("effects:", f"{events}effects:"))
    assert [error.node for error in errors if "within one step" in error.problem] == ["infarct"]
    lagged = events.replace("where(infarct", "where(infarct[-1]")
    assert check(tmp_path, ("effects:", f"{lagged}effects:")) == ((), ())


def test_levels_must_exist(tmp_path: Path) -> None:
    levels = ("Bernoulli(0.4)", '\'Categorical("low": 0.4, "high": 0.6)\'')

    def errors(expression: str) -> tuple[Problem, ...]:
        missing = ("Bernoulli(0.05 + 0.1 * risk)", f"'Bernoulli(0.1 * {expression})'")
        return check(tmp_path, levels, ("4 * risk", '4 * (risk == "low")'), missing)[0]

    assert errors('(risk == "high")') == ()
    assert errors('(risk != "low" and risk == "high")') == ()
    (error,) = errors('(risk == "hihg")')
    assert "'risk' has no level \"hihg\"; it has low, high" in error.problem
    assert error.fix == 'risk == "high"'
    (error,) = errors("risk")
    assert "'risk' is categorical and cannot be used as a number" in error.problem
    (error,) = errors("(risk > 1)")
    assert "'risk' is categorical and cannot be used as a number" in error.problem


def test_an_unidentifiable_treatment_is_a_warning(tmp_path: Path) -> None:
    change = [("where(recorded(severity_rated), expit(0.3 * (severity_rated - 22)), 0.5)", "expit(severity - 22)"),
              ("severity_rated: {source: assumption}", "severity: {source: assumption}")]  # fmt: skip
    errors, (warning,) = check(tmp_path, *change)
    assert errors == ()
    assert "'treated' depends on 'severity', which is never recorded" in warning.problem
    assert warning.fix == "read severity_rated instead of severity"


def test_unused_and_unsupported_parameters_are_warnings(tmp_path: Path) -> None:
    errors, warnings = check(tmp_path, ("parameters:\n", "parameters:\n  spare: {value: 1}\n"))
    assert errors == ()
    assert [warning.problem for warning in warnings] == [
        "unused parameter 'spare'",
        "the parameter 'spare' has no evidence",
    ]


def test_statics_need_no_clock(tmp_path: Path) -> None:
    file = tmp_path / "static.yaml"
    file.write_text("id: static\nvariables: {age: {kind: static, mechanism: 'Uniform(1, 2)'}}\n")
    report = check_model(file)
    assert report.ok
    assert report.model is not None
    assert report.model.clock.steps == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- a", b"[" * 1_000_000, b"a: " * 100_000, b"\x00", b"%"])
def test_what_is_no_document(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(content)
    report = check_model(file)
    assert not report.ok
    assert report.errors[0].file == str(file)


PIECES = st.sampled_from([
    "", " ", "\n", ":", "- ", "{", "}", "[", "]", "&a ", "*a", "!!str ", "'", '"', "#", "1e-5", "null", "true", "\t",
    "age", "severity[-1]", "death", "treated", "of: x", "Hazard(1)", "-> ", "@", "months", "(", ")", ",", "\x00", "é",
    "kind: state\n    ", "extends: death\n    ", "overrides: age\n    ", "imports: [demographics]\n", "ever(death)",
])  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), PIECES), min_size=1, max_size=4))
def test_no_document_ends_in_a_traceback(edits: list[tuple[int, int, str]], tmp_path: Path) -> None:
    text = TEXT
    for at, length, piece in edits:
        text = text[:at] + piece + text[at + length :]
    file = tmp_path / "edited.yaml"
    file.write_text(text, encoding="utf-8")
    report = check_model(file)  # whatever it says, it says it
    assert report.ok == (not report.errors)
    assert all(str(problem) for problem in report.errors)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("unit: year}", "unit: month}", "counts time in years"),
        (
            "  risk:\n",
            "  patient:\n    kind: static\n    mechanism: Normal(0, 1)\n  risk:\n",
            "is the name of a table column",
        ),
    ],
)
def test_what_would_be_silently_wrong_is_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = (Path(__file__).parents[2] / "models/six.yaml").read_text().replace(old, new, 1)
    text = text.replace("population:", "imports: [demographics]\npopulation:", 1) if "month" in new else text
    (tmp_path / "m.yaml").write_text(text)
    report = check_model(tmp_path / "m.yaml")
    assert not report.ok
    assert any(problem in error.problem for error in report.errors)
