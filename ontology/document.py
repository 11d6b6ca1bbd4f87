"""The keys that a document may have, and the form of their values. `causal/` checks what they mean together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ..errors import UNPRINTABLE, NosographError, Problem, fail, nearest
from .vocabulary import CITATION
from .yaml import Written, read_yaml

NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_-]*")


def _mistake(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("mistake", "{problem}", {"problem": problem, "fix": fix})


def _read_text(value: Any) -> Any:
    """Text as written: `mechanism: 0`, `version: 1.10` and `mechanism: true` stay text."""
    if isinstance(value, Written):
        return value.text
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = " ".join(value.split())
        if sign := UNPRINTABLE.search(text):
            raise _mistake(f"the text holds the control character U+{ord(sign[0]):04X}", "the text without it")
        return text
    return value


def _read_list(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


def _read_name(value: Any) -> Any:
    text = _read_text(value)
    if isinstance(text, str) and (not NAME.fullmatch(text) or text.startswith("__")):
        raise _mistake(f"{text!r} is not a name", "letters, digits and _, starting with a letter")
    return text


def _read_identifier(value: Any) -> Any:
    text = _read_text(value)
    if isinstance(text, str) and not IDENTIFIER.fullmatch(text):
        raise _mistake(f"{text!r} is not an identifier", "small letters, digits, - and _, starting with a letter")
    return text


def _read_citation(value: Any) -> Any:
    text = _read_text(value)
    if isinstance(text, str) and not CITATION.fullmatch(text):
        raise _mistake(
            f"{text!r} is neither a PMID nor a DOI nor an axiom",
            '"PMID:12345678" or "doi:10.1000/xyz", or source: assumption',
        )
    return text


def _read_level(value: Any) -> Any:
    return float(value) if isinstance(value, Written) else _read_text(value)


def _read_synonyms(value: Any) -> Any:
    names = [_read_text(name) for name in value] if isinstance(value, list) else _read_list(_read_text(value))
    if "" in names:
        raise _mistake("a synonym is empty", "what clinicians also call it, or no entry")
    if twice := next((name for name in names if isinstance(name, str) and names.count(name) > 1), ""):
        raise _mistake(f"the synonym {twice!r} stands twice", "each synonym once")
    return names


def _read_levels(value: Any) -> Any:
    """The names of levels: distinct, and fit to stand in quotation marks and in a list with commas."""
    names = [_read_text(name) for name in value] if isinstance(value, list) else _read_list(_read_text(value))
    for name in names if isinstance(names, list) else ():
        if isinstance(name, str) and (not name or set(name) & set(',"\\')):
            raise _mistake(
                f"{name!r} is not the name of a level", "text without commas, quotation marks or backslashes"
            )
    if twice := next((name for name in names if isinstance(name, str) and names.count(name) > 1), ""):
        raise _mistake(f"the level {twice!r} stands twice", "each level once")
    return names


def _read_row(value: Any) -> Any:
    """Levels with a comma and one space between them."""
    text = _read_text(value)
    return ", ".join(part.strip() for part in text.split(",")) if isinstance(text, str) else text


def _read_effect(value: Any) -> Any:
    return value if isinstance(value, dict) else {"effect": value}


Text = Annotated[str, BeforeValidator(_read_text)]
Name = Annotated[str, BeforeValidator(_read_name)]
Citation = Annotated[str, BeforeValidator(_read_citation)]
Synonyms = Annotated[tuple[str, ...], BeforeValidator(_read_synonyms)]
Levels = Annotated[tuple[str, ...], BeforeValidator(_read_levels)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_read_list)]
Row = Annotated[str, BeforeValidator(_read_row)]
Level = Annotated[float | str, BeforeValidator(_read_level)]  # a number, or the name of a categorical's level
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Entry(BaseModel):
    """A mapping with known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Evidenced(Entry):
    """Where a claim or number comes from: citations and how far they were checked, or `source: assumption`."""

    evidence: Annotated[tuple[Citation, ...], BeforeValidator(_read_list)] = ()
    checked: Literal["text", "abstract", "curated", "recalled"] | None = None
    says: Text = ""
    source: Literal["assumption"] | None = None

    @model_validator(mode="after")
    def check_evidence(self) -> Evidenced:
        if self.evidence and self.source:
            raise _mistake("it is both cited and assumed", "either evidence: … or source: assumption")
        if self.evidence and self.checked is None:
            raise _mistake(
                "a citation must say how far it was checked",
                "checked: text, checked: abstract, checked: curated or checked: recalled",
            )
        if not self.evidence and self.checked is not None:
            raise _mistake("checked, but nothing is cited", 'evidence: "PMID:…" beside it, or source: assumption alone')
        if self.says and self.checked not in ("text", "abstract"):
            raise _mistake(
                "`says` tells what a source says, and none was read", "checked: text or abstract once read; or no says"
            )
        return self


class ClaimEntry(Evidenced):
    """One cause under `caused_by`."""

    @model_validator(mode="after")
    def check_source(self) -> ClaimEntry:
        if not self.evidence and not self.source:
            raise _mistake("the claim has no evidence", '{evidence: "PMID:…", checked: recalled} or source: assumption')
        return self


def _read_claim(value: Any) -> Any:
    return {} if value is None else value


class ParameterEntry(Evidenced):
    value: Number | None = None
    formula: Text = ""
    unit: Text = ""
    uncertain: Text = ""
    title: Text = ""

    @model_validator(mode="after")
    def check_value(self) -> ParameterEntry:
        if self.value is None and not self.formula:
            raise _mistake("the key 'value' is missing", "value: 1.5, or formula: probit(frequency)")
        if self.formula:
            spare = sorted(self.model_fields_set - {"formula", "unit", "title"})
            if spare:
                raise _mistake(
                    f"it has a formula and '{spare[0]}': its value follows from what the formula reads",
                    f"no {spare[0]} here; {spare[0]} belongs to the parameters that the formula reads"
                    if spare[0] != "value"
                    else "either value: … or formula: …",
                )
        return self


class CasesEntry(Entry):
    """The probabilities of a variable's levels, a row for each combination of the levels of what it reads (`of`)."""

    of: Texts
    table: dict[Row, tuple[Number, ...]]


class VariableEntry(Entry):
    kind: Literal["static", "state", "event", "treatment", "measurement"] | None = None
    title: Text = ""
    synonyms: Synonyms = ()
    related_synonyms: Synonyms = ()
    concept: Text = ""
    unit: Text = ""
    start: Text = ""
    mechanism: Text = ""
    levels: Levels = ()
    ordered: Annotated[bool | None, Field(strict=True)] = None
    cases: CasesEntry | None = None
    of: Name = ""
    when: Text = ""
    missing: Text = ""
    occurs: Literal["once", "repeatedly"] | None = None
    ends: Literal["journey", "record", "nothing"] | None = None
    competes: Name = ""
    any_of: Annotated[tuple[Name, ...], BeforeValidator(_read_list)] = ()
    recorded: Annotated[bool | None, Field(strict=True)] = None
    extends: Name = ""
    overrides: Name = ""
    caused_by: dict[Name, Annotated[ClaimEntry, BeforeValidator(_read_claim)]] = {}

    @model_validator(mode="after")
    def check_kind(self) -> VariableEntry:
        if twice := sorted({*self.synonyms} & {*self.related_synonyms}):
            raise _mistake(f"the synonym {twice[0]!r} is also a related one", "it in one of the two lists")
        if "any_of" in self.model_fields_set and not self.any_of:
            raise _mistake("the list of components is empty", "any_of: [stroke, death]")
        if twice := sorted({name for name in self.any_of if self.any_of.count(name) > 1}):
            raise _mistake(f"the component {twice[0]!r} stands twice", "each component once")
        if self.extends and self.overrides:
            raise _mistake("it both extends and overrides", "one of the two")
        if self.extends:
            spare = sorted(self.model_fields_set - {"extends", "title", "mechanism", "caused_by"})
            if spare:
                raise _mistake(
                    f"what extends an event has no {spare[0]}", "only mechanism: Hazard(…), caused_by and a title"
                )
            if not self.mechanism:
                raise _mistake("it extends an event without a rate of its own", "mechanism: Hazard(…)")
        elif not self.kind and not self.overrides:
            raise _mistake("the key 'kind' is missing", "kind: static, state, event, treatment or measurement")
        if self.cases is not None and self.mechanism:
            raise _mistake("it has both a mechanism and cases", "one of the two")
        if self.cases is not None and not self.levels and not self.overrides:
            raise _mistake("it has cases, but no levels", "levels: [mild, moderate, severe]")
        return self


class ClockEntry(Entry):
    step: Text
    horizon: Text
    unit: Text


class EffectEntry(Entry):
    effect: Text
    contrast: tuple[Level, Level] | None = None
    decision: Text = ""
    strategy: Literal["initiation", "sustained"] | None = None
    population: Text = ""
    death: Literal["while alive", "hypothetical", "survivors", "composite"] | None = None
    leaving: Literal["hypothetical", "treatment policy", "last recorded"] | None = None
    missed: Literal["hypothetical", "last recorded"] | None = None
    stopping: Literal["treatment policy", "hypothetical", "while on treatment"] | None = None
    composite: Number | None = None


class Document(Entry):
    """A disease model as written."""

    id: Annotated[str, BeforeValidator(_read_identifier)]
    title: Text = ""
    description: Text = ""
    version: Text = ""
    disease: Text = ""
    imports: tuple[Text, ...] = ()
    clock: ClockEntry | None = None
    population: Text = ""
    parameters: dict[Name, ParameterEntry] = {}
    variables: dict[Name, VariableEntry] = {}
    effects: tuple[Annotated[EffectEntry, BeforeValidator(_read_effect)], ...] = ()


@dataclass(frozen=True)
class Places:
    """The lines of a document's nodes: `lines` by dotted path, such as `variables.amyloid.mechanism`."""

    file: str
    lines: Mapping[str, int]

    def line(self, path: str) -> int:
        """The line of the path, or of the nearest node above it that has one."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 0)


def read_document(path: Path | None, *, text: str | None = None) -> tuple[Document, Places]:
    """Read and validate a YAML document from a file (or from `text`, which the file's name is then shown for).

    Raises NosographError with every mistake in its keys and values.
    """
    file = str(path) if path is not None else "document"
    if text is None:
        text = read_text(Path(file))
    root = read_yaml(text, file=file)
    if not isinstance(root.value, dict):
        raise fail("a disease model is a mapping of keys", fix="id: my-disease", file=file, line=root.line)
    places = Places(file, {".".join(keys): line for keys, line in root.find_lines()})
    return validate_document(root.plain(), places), places


def read_text(path: Path) -> str:
    """The text of a file. Raises NosographError if it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise fail(
            "this is not UTF-8 text", fix="the file saved as UTF-8", file=str(path), value=error.reason
        ) from None
    except FileNotFoundError:
        raise fail("there is no such file", fix="the path of a model", value=path) from None
    except OSError as error:
        raise fail(f"the file cannot be read: {error.strerror}", fix="the path of a model", value=path) from None


def validate_document(data: Mapping[str, Any], places: Places) -> Document:
    """A Document from plain data. Raises NosographError with every mistake and its line."""
    try:
        return Document.model_validate(data)
    except ValidationError as error:
        raise NosographError([_explain(mistake, places) for mistake in error.errors(include_url=False)]) from None


def read_effect(text: str) -> EffectEntry:
    """One effect as typed: its text, or the longer form in braces. Raises NosographError for an unknown key."""
    data = read_yaml(text).plain() if text.lstrip().startswith("{") else {"effect": text}
    try:
        return EffectEntry.model_validate(data)
    except ValidationError as error:
        mistakes = ({**mistake, "loc": ("effects", 0, *mistake["loc"])} for mistake in error.errors(include_url=False))
        raise NosographError([_explain(mistake, Places("", {})) for mistake in mistakes]) from None


def _explain(mistake: Any, places: Places) -> Problem:
    location = [str(part) for part in mistake["loc"] if part != "[key]"]
    kind, value = mistake["type"], mistake["input"]
    path, key = ".".join(location), location[-1] if location else ""
    known = allowed_keys(location[:-1])
    fix, shown = "", _show(value)
    if kind == "extra_forbidden":
        problem, right = f"unknown key '{key}'", nearest(key, known)
        fix = f"{right}: {shown}".rstrip() if right else f"one of the keys {', '.join(known)}"
        shown = key
    elif kind == "missing":
        problem, fix, shown = f"the key '{key}' is missing", f"{key}: …", ""
    elif kind == "literal_error":
        expected = re.findall(r"'([^']*)'", mistake["ctx"]["expected"])
        right = nearest(str(value), expected)
        problem, fix = f"'{key}' cannot be this", f"{key}: {right}" if right else f"one of: {', '.join(expected)}"
    elif kind == "mistake":
        problem, fix = mistake["ctx"]["problem"], mistake["ctx"]["fix"]
    else:
        problem, fix = f"'{key}' is not as it should be", mistake["msg"].replace("Input should be", "").strip()
        fix = {"float_type": f"{key}: 1.5", "string_type": f"{key}: text"}.get(kind, fix)
    node = location[1] if len(location) > 1 and location[0] in ("variables", "parameters") else path
    return Problem(problem, fix=fix, node=node, value=shown, file=places.file, line=places.line(path))


def _show(value: Any) -> str:
    if isinstance(value, Written):
        return value.text
    if isinstance(value, str):
        return value if len(value) <= 200 else value[:197] + "..."
    return "" if value is None or isinstance(value, dict | list | tuple | BaseModel) else str(value).lower()


@cache
def _keys(entry: type[BaseModel]) -> tuple[str, ...]:
    return tuple(entry.model_fields)


def allowed_keys(path: list[str]) -> tuple[str, ...]:
    """The keys that a mapping at this path of a document may have; none if any name is allowed."""
    entries: dict[tuple[str, int], type[BaseModel]] = {
        ("", 0): Document,
        ("clock", 1): ClockEntry,
        ("parameters", 2): ParameterEntry,
        ("variables", 2): VariableEntry,
        ("variables", 4): ClaimEntry,
        ("effects", 2): EffectEntry,
    }
    if path[2:3] == ["cases"]:
        return _keys(CasesEntry) if len(path) == 3 else ()
    entry = entries.get((path[0] if path else "", len(path)))
    return _keys(entry) if entry is not None else ()
