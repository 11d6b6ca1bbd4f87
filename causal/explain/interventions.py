"""Interventions in words: which causes they cut and when, what can change and what cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.arrows import Cut, find_cut, find_reach
from ..model.duration import describe_time
from ..model.model import Model
from ..model.world import Intervention
from .equations import format_quantity, substitute
from .explanation import Explanation, Section


def explain_worlds(model: Model, interventions: Sequence[Intervention]) -> Explanation:
    """What each intervention cuts and when, and what can differ from the factual world under all of them."""
    cuts = [find_cut(model, intervention) for intervention in interventions]
    sections = [_explain_cut(model, cut) for cut in cuts]
    if _overlap(interventions):
        lines = ("If two act on the same variable at the same time, the later one changes the earlier one's result.",)
        sections.append(Section("In this order", lines))
    reach = find_reach(model, interventions)
    sections += [_explain_change(model, interventions, reach), _explain_constancy(model, reach)]
    return Explanation(f"Interventions on {model.title or model.id}", tuple(sections))


def _overlap(interventions: Sequence[Intervention]) -> bool:
    return any(
        a.target == b.target and a.first < b.stop and b.first < a.stop
        for i, a in enumerate(interventions)
        for b in interventions[:i]
    )


def _explain_cut(model: Model, cut: Cut) -> Section:
    act, target = cut.intervention, cut.intervention.target
    lines = [_describe_act(model, act)]
    if target in model.variables:
        lines += _explain_arrows(model, cut) if act.operator == "=" else _explain_soft(model, cut)
    else:
        readers = [v.name for v in model.variables.values() if target in {read.name for read in v.reads}]
        lines.append(f"It cuts nothing: {target} is a parameter and has no causes. It is read by {_join(readers)}.")
    if cut.added:
        lines.append("Added while it acts, because its value reads them:")
        lines += [f"  {cause} -> {target}" for cause in cut.added]
    facts: dict[str, Any] = {
        "intervention": act.text,
        "target": target,
        "first_step": act.first,
        "stop_step": act.stop,
        "cut": [list(edge) for edge in cut.edges],
        "cut_own_past": cut.own_past,
        "added": [[cause, target] for cause in cut.added],
    }
    return Section(act.text, tuple(lines), facts)


def _describe_act(model: Model, act: Intervention) -> str:
    value = substitute(act.value, model.parameters)
    if act.target in model.parameters:
        parameter = model.parameters[act.target]
        given = format_quantity(parameter.value, parameter.unit)
        change = {
            "=": f"is {value} instead of {given}",
            "+=": f"is {given} plus {value}",
            "*=": f"is {given} times {value}",
        }
        return f"The parameter {act.target} {change[act.operator]}, for the whole journey."
    change = {
        "=": f"is set to {value}",
        "+=": f"gets {value} added to its value",
        "*=": f"has its value multiplied by {value}",
    }
    return f"{act.target} {change[act.operator]}, {_describe_window(model, act)}."


def _describe_window(model: Model, act: Intervention) -> str:
    clock = model.clock
    if model.variables[act.target].kind == "static":
        return "for the whole journey"
    if act.stop == act.first + 1:
        return f"once, at {describe_time(act.first, clock)} (step {act.first})"
    if act.stop > clock.steps:
        return f"from {describe_time(act.first, clock)} to the end (steps {act.first} to {clock.steps})"
    first, stop = describe_time(act.first, clock), describe_time(act.stop, clock)
    return f"from {first} until just before {stop} (steps {act.first} to {act.stop - 1})"


def _explain_arrows(model: Model, cut: Cut) -> list[str]:
    act, target = cut.intervention, cut.intervention.target
    lines = []
    if cut.cut:
        lines.append("Cut while it acts:")
        lines += [f"  {cause} -> {target}" for cause in cut.cut]
    else:
        lines.append("It cuts no arrow from another variable: none acts during this time.")
    lines += [f"  {target}'s own past has no influence while it acts, either."] if cut.own_past else []
    if cut.kept:
        lines.append("Not cut, because they only decide whether it is recorded:")
        lines += [f"  {cause} -> {target}" for cause in cut.kept]
    if cut.outside:
        lines.append("Not cut, because they are read only at other times:")
        lines += [f"  {cause} -> {target}" for cause in cut.outside]
    group = model.variables[target].competes
    competitors = [v.name for v in model.variables.values() if group and v.competes == group and v.name != target]
    lines += [f"While it is set, it does not compete with {', '.join(competitors)}."] if competitors else []
    if act.first > 0 and model.variables[target].kind != "static":
        lines.append(f"Before {describe_time(act.first, model.clock)} nothing is changed.")
    if act.stop <= model.clock.steps:
        again = f"From {describe_time(act.stop, model.clock)} on, its natural mechanism resumes"
        past = {read.name for read in model.variables[target].reads}
        lines.append(f"{again}, from the value that was set." if target in past else f"{again}.")
    return lines


def _explain_soft(model: Model, cut: Cut) -> list[str]:
    act, target = cut.intervention, cut.intervention.target
    lines = ["It cuts nothing: the natural mechanism continues with all its causes, and its result is changed."]
    own = target in {read.name for read in model.variables[target].reads}
    if own and act.stop - act.first > 1:
        lines.append(f"Because {target} continues from its own last value, the changes accumulate over the steps.")
    if act.stop <= model.clock.steps:
        past = ", and it continues from the changed value" if own else ""
        lines.append(f"From {describe_time(act.stop, model.clock)} on, nothing more is changed{past}.")
    return lines


def _explain_change(model: Model, interventions: Sequence[Intervention], reach: dict[str, int]) -> Section:
    targets = {intervention.target for intervention in interventions}
    lines = []
    for name, step in sorted(reach.items(), key=lambda item: item[1]):
        since = "" if model.variables[name].kind == "static" else f", from {describe_time(step, model.clock)} on"
        lines.append(f"  {name}{since}{' (intervened on)' if name in targets else ''}")
    if not lines:
        return Section(
            "What can change",
            ("Nothing: the interventions act only when their targets are not computed.",),
            {"can_change": {}},
        )
    ending = [name for name in reach if model.variables[name].ends == "journey"]
    if ending:
        lines.append(
            f"Because {_join(ending)} can change, so can the length of the journey, and thus which values exist."
        )
    return Section("What can change", tuple(lines), {"can_change": reach})


def _explain_constancy(model: Model, reach: dict[str, int]) -> Section:
    same = [name for name in model.variables if name not in reach]
    if not same:
        return Section("What cannot change", ("Nothing: every variable can change.",), {"cannot_change": []})
    lines = [f"  {name}" for name in same]
    lines.append("These are the same in both worlds, for every patient, in every step that both journeys reach.")
    return Section("What cannot change", tuple(lines), {"cannot_change": same})


def _join(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "nothing"
