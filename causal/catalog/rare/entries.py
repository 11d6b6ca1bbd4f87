"""The parts of a written document (parameters and variables, in sections) and their YAML text."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z(][A-Za-z0-9_ ()*/+<>=.,\"|;-]*")
_OTHERWISE = re.compile(
    r"(true|false|null|yes|no|on|off|~)", re.IGNORECASE
)  # what YAML, of any version, reads as no text
_FLOW_MARKS = frozenset(',"')
_TIED = re.compile(r' (==|!=|<=?|>=?|[-+*/]) |": ')  # where a line of an equation does not break
_TIE = "\0"


@dataclass(frozen=True)
class DraftParameter:
    """A number with its evidence, or with a `formula` if it follows from others. Without `citations` it is assumed."""

    name: str
    value: float | None = None
    formula: str = ""
    uncertain: str = ""
    unit: str = ""
    title: str = ""
    citations: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftVariable:
    """A variable. `causes` are the names that its equations read, each with the citations of its claim."""

    name: str
    kind: str
    mechanism: str
    title: str = ""
    concept: str = ""
    unit: str = ""
    of: str = ""
    when: str = ""
    ends: str = ""
    start: str = ""
    recorded: bool = True
    causes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class DraftSection:
    """Parameters and variables under one heading, with comments on what was assumed or changed."""

    heading: str
    comments: tuple[str, ...] = ()
    parameters: tuple[DraftParameter, ...] = ()
    variables: tuple[DraftVariable, ...] = ()


def write_sections(sections: Sequence[DraftSection]) -> str:
    """The keys `parameters` and `variables` of a document, section by section."""
    lines = []
    if any(section.parameters for section in sections):
        lines.append("parameters:")
        for section in sections:
            if section.parameters:
                lines += [f"  # {section.heading}", *(line for p in section.parameters for line in _parameter(p)), ""]
    lines.append("variables:")
    for section in sections:
        if section.variables:
            lines.append(f"  # {section.heading}")
            lines += [line for comment in section.comments for line in write_comment(comment, indent=2)]
            lines += [line for v in section.variables for line in _variable(v)]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def write_comment(text: str, *, indent: int = 0) -> list[str]:
    """A comment as lines of limited length; all lines after the first are indented."""
    head = " " * indent + "# "
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=head + "  ", break_on_hyphens=False)


def write_scalar(text: str, *, flow: bool = False) -> str:
    """A text in a form that YAML reads back: plain if that is safe, otherwise in quotes. `flow`: inside braces."""
    plain = _PLAIN.fullmatch(text) and not _OTHERWISE.fullmatch(text) and not text.endswith(" ")
    if plain and not (flow and _FLOW_MARKS & set(text)):
        return text
    if re.fullmatch(r"[A-Z]+:[A-Z0-9]+", text):
        return text
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def write_number(value: float) -> str:
    return f"{value:.6g}"


def _parameter(parameter: DraftParameter) -> list[str]:
    if parameter.formula:
        pairs = [("formula", parameter.formula)] + [("title", parameter.title)] * bool(parameter.title)
        return _entry(parameter.name, pairs, {})
    pairs = [("value", write_number(parameter.value or 0.0))]
    pairs += [(key, getattr(parameter, key)) for key in ("unit", "uncertain", "title") if getattr(parameter, key)]
    return _entry(parameter.name, pairs, _evidence(parameter.citations))


def _variable(variable: DraftVariable) -> list[str]:
    pairs = [("kind", variable.kind)]
    pairs += [
        (key, getattr(variable, key))
        for key in ("of", "title", "concept", "unit", "ends", "when", "start", "mechanism")
        if getattr(variable, key)
    ]
    if not variable.recorded and variable.kind != "state":
        pairs.insert(1, ("recorded", "false"))
    claims = {cause: _evidence(citations) for cause, citations in variable.causes.items()}
    return _entry(variable.name, pairs, {"caused_by": claims} if claims else {})


def _evidence(citations: tuple[str, ...]) -> dict[str, object]:
    return {"evidence": list(citations), "checked": "curated"} if citations else {"source": "assumption"}


def _entry(name: str, pairs: Iterable[tuple[str, str]], more: Mapping[str, object]) -> list[str]:
    """An entry on one line if it fits, otherwise one line for each key."""
    pairs = list(pairs)
    flow = ", ".join([*(f"{key}: {_value(key, text, flow=True)}" for key, text in pairs), *_flow_pairs(more)])
    one = f"  {name}: {{{flow}}}"
    if len(one) <= WIDTH:
        return [one]
    lines = [f"  {name}:"]
    for key, text in pairs:
        lines += _block_line(key, text)
    for key, value in more.items():
        one = f"    {key}: {_flow(value)}"
        if len(one) <= WIDTH and not (isinstance(value, dict) and len(value) > 1):
            lines.append(one)
        elif isinstance(value, dict):
            lines += [f"    {key}:", *(line for k, v in value.items() for line in _wrapped(f"      {k}: ", _flow(v)))]
        else:
            lines += _wrapped(f"    {key}: ", _flow(value))
    return lines


def _block_line(key: str, text: str) -> list[str]:
    line = f"    {key}: {_value(key, text, flow=False)}"
    if len(line) <= WIDTH or " " not in text:
        return [line]
    together = _TIED.sub(lambda tie: tie[0].replace(" ", _TIE), text)
    wrapped = textwrap.wrap(together, WIDTH - 6, break_long_words=False, break_on_hyphens=False)
    return [f"    {key}: >", *(f"      {part.replace(_TIE, ' ')}" for part in wrapped)]


def _value(key: str, text: str, *, flow: bool) -> str:
    return text if key in ("value", "recorded") else write_scalar(text, flow=flow)


def _wrapped(head: str, text: str) -> list[str]:
    """A flow collection; if it is long, it is broken into several lines between its items."""
    if len(head) + len(text) <= WIDTH:
        return [head + text]
    indent = " " * (len(head) - len(head.lstrip()) + 2)
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _flow_pairs(mapping: Mapping[str, object]) -> list[str]:
    return [f"{key}: {_flow(value)}" for key, value in mapping.items()]


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(_flow_pairs(value)) + "}"
    if isinstance(value, list):
        items = [json.dumps(item, ensure_ascii=False) for item in value]
        return items[0] if len(items) == 1 else "[" + ", ".join(items) + "]"
    return str(value)
