"""The compiled structural causal model: noise sites, evaluation order, mechanisms and interventions by world."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...errors import NosographError, fail, list_some
from ..families import FAMILIES
from ..language import Expression, reads
from ..language.evaluate import encode_result
from ..language.syntax import Level, Number, find_draw
from ..model.arrows import evaluated_steps
from ..model.binary import is_yes_or_no
from ..model.composites import list_components
from ..model.formula import evaluate_formula, find_inputs, order_formulas, refuse_derived
from ..model.model import Model
from ..model.order import order_variables
from ..model.world import Intervention, World
from .expressions import Evaluator, StepState, compile_expression
from .mechanism import Mechanism, compile_mechanism, find_bad
from .tensors import Value, is_true


@dataclass(frozen=True)
class Site:
    """The exogenous noise of one expression of a variable, in all steps that need it."""

    name: str  # of the Pyro site; also the key of the generator
    variable: str
    noise: Literal["normal", "uniform", "uniform64"]
    steps: tuple[int, ...]
    levels: tuple[str, ...]  # components, where each level has its own noise


def noise_sites(model: Model, *, steps: int, needed: Iterable[str] | None = None) -> list[Site]:
    """The noise needed for steps 0 to `steps`: one site for each expression that has a distribution."""
    sites = []
    names = set(model.variables if needed is None else needed)
    for variable in model.variables.values():
        for key, expression in variable.expressions.items() if variable.name in names else ():
            draw = find_draw(expression)
            at = evaluated_steps(variable, key, steps=steps)
            if draw is not None and at:
                family = FAMILIES[draw.family]
                levels = draw.levels if family.noise_by_level else ()
                sites.append(Site(site_name(variable.name, key), variable.name, family.noise, at, levels))
    return sites


def site_name(variable: str, key: str) -> str:
    return f"{variable}.noise" if key == "mechanism" else f"{variable}.{key}.noise"


@dataclass(frozen=True)
class Forced:
    """A compiled intervention in world number `world`; `source`: the world from which its value is taken."""

    world: int
    intervention: Intervention
    evaluate: Evaluator
    source: int | None = None


class Plan:
    """A model compiled for a set of worlds: evaluation order, mechanisms, interventions, and parameters by world."""

    def __init__(
        self,
        model: Model,
        worlds: Sequence[World],
        *,
        parameters: Mapping[str, Value],
        needed: Sequence[str],
    ) -> None:
        self.model, self.worlds = model, tuple(worlds)
        wanted = self.needed = set(needed)
        self.first_order = [n for n in order_variables(model, first=True, worlds=worlds) if n in wanted]
        self.step_order = [n for n in order_variables(model, first=False, worlds=worlds) if n in wanted]
        self.step_order = [n for n in self.step_order if model.variables[n].kind != "static"]
        self.levels = {v.name: v.levels for v in model.variables.values() if v.levels}
        self.yes_or_no = {v.name for v in model.variables.values() if is_yes_or_no(v, model)}
        self.constant = {"dt", *model.parameters, *(v.name for v in model.variables.values() if v.kind == "static")}
        self.components = {
            v.name: list_components(model.variables, v.name) for v in model.variables.values() if v.any_of
        }
        self.shared: dict[Expression, Evaluator] = {}
        self.parameters = self.set_parameters(parameters)
        self.mechanisms = self.compile_mechanisms(wanted)
        self.forced: dict[str, list[Forced]] = {}
        names = [world.name for world in worlds]
        acts = [(index, act) for index, world in enumerate(worlds) for act in world.interventions]
        # values taken from another world come last, when they are final there
        for index, act in sorted(acts, key=lambda pair: pair[1].source != ""):
            if act.target in model.variables:
                source = names.index(act.source) if act.source else None
                value = encode_result(act.value, model.variables[act.target].levels)
                forced = Forced(index, act, self.evaluator(value), source)
                self.forced.setdefault(act.target, []).append(forced)
        variables = model.variables.values()
        policies = reads(*(forced.intervention.value for active in self.forced.values() for forced in active))
        everything = policies.union(*(variable.reads for variable in variables))
        self.deepest_lag = max((read.lag for read in everything), default=0)
        self.read_since = {read.name for read in everything if read.how == "since"}
        groups = {variable.competes for variable in variables if variable.competes}
        self.groups = {group: [v.name for v in variables if v.competes == group] for group in groups}

    def is_hazard(self, name: str) -> bool:
        family = self.mechanisms[name, "mechanism"].family
        return family is not None and family.name == "Hazard"

    def earlier_rivals(self, name: str) -> list[str]:
        """The events of a competing event's group that are declared before it."""
        members = self.groups.get(self.model.variables[name].competes, [name])
        return members[: members.index(name)]

    def find_dated(self, keep: Sequence[str]) -> list[str]:
        """The events with a mechanism whose occurrences the kept variables need: their own, those of a composite's
        components, and those that end a journey or a record."""
        parts = {part for name in keep for part in self.components.get(name, (name,))}
        return [
            v.name
            for v in self.model.variables.values()
            if v.kind == "event"
            and not v.any_of
            and (v.name in parts or (v.ends != "nothing" and v.name in self.needed))
        ]

    def evaluator(self, expression: Expression) -> Evaluator:
        return compile_expression(expression, constant=self.constant, levels=self.levels, shared=self.shared)

    def set_parameters(self, parameters: Mapping[str, Value]) -> dict[str, Value]:
        """The parameters' values: (1, 1), or (worlds, 1) where an intervention changes one."""
        # A world that changes a parameter needs float32, so all worlds use it: unchanged values then have the same bits
        # in every world, and no world depends on which others run in the same pass.
        given = {name: p.value for name, p in self.model.parameters.items()} | dict(parameters)
        for name in parameters:
            if name in self.model.parameters and (derived := refuse_derived(self.model.parameters, name)) is not None:
                raise NosographError(derived)
        values = self.derive({n: v if isinstance(v, Tensor) else _spread(v, (1, 1)) for n, v in given.items()})
        patients = max((v.shape[-1] for v in values.values() if isinstance(v, Tensor) and v.dim()), default=1)
        shape = (len(self.worlds), patients)  # 1, unless parameters differ between particles
        for index, world in enumerate(self.worlds):
            for change in world.interventions:
                if change.target in values:
                    moment = StepState(time=0.0, dt=self.model.clock.dt, parameters=values, now={}, history=[])
                    new = _spread(self.evaluator(change.value)(moment), shape)[index]
                    row = _spread(values[change.target], shape).clone()
                    row[index] = {"=": new, "+=": row[index] + new, "*=": row[index] * new}[change.operator]
                    values[change.target] = row
                    values = self.derive(values)
        return values

    def derive(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """The parameters' values, with every formula recomputed number by number, so that values which an intervention
        does not change have the same bits in all worlds."""
        derived = dict(values)
        for name in order_formulas(self.model.parameters):
            formula = self.model.parameters[name].formula
            assert formula is not None
            inputs = find_inputs(formula)
            tensors = torch.broadcast_tensors(torch.zeros(1, 1), *(torch.as_tensor(derived[n]) for n in inputs))[1:]
            if any(tensor.requires_grad for tensor in tensors):
                raise fail(
                    "a formula has no gradient", node=name, value=str(formula), fix="parameters without formulas"
                )
            shape = tensors[0].shape if tensors else (1, 1)
            rows = zip(*(tensor.flatten().tolist() for tensor in tensors), strict=True) if tensors else [()]
            numbers = [evaluate_formula(formula, dict(zip(inputs, row, strict=True))) for row in rows]
            derived[name] = torch.tensor(numbers, dtype=torch.float32).reshape(shape)
        return derived

    def compile_mechanisms(self, wanted: set[str]) -> dict[tuple[str, str], Mechanism]:
        known = {"dt": (self.model.clock.dt,) * 2, "t": (0.0, self.model.clock.dt * self.model.clock.steps)}
        for name, value in self.parameters.items():
            tensor = torch.as_tensor(value).detach()
            known[name] = (float(tensor.min()), float(tensor.max()))
        most = {name: float(len(parts)) for name, parts in self.components.items()}  # of a composite's in a step
        known |= {v.name: (0.0, most.get(v.name, 1.0)) for v in self.model.variables.values() if v.kind == "event"}
        measured = {v.name for v in self.model.variables.values() if v.kind == "measurement"}
        return {
            (v.name, key): compile_mechanism(
                encode_result(expression, v.levels),
                variable=v.name,
                evaluator=self.evaluator,
                known=known,
                measured=measured,
            )
            for v in self.model.variables.values()
            if v.name in wanted
            for key, expression in v.expressions.items()
        }

    def intervene(self, name: str, step: int, natural: Tensor, moment: StepState) -> Tensor:
        """The value of `name` in all worlds after interventions, given its natural value (worlds or 1, patients)."""
        active = [forced for forced in self.forced.get(name, ()) if forced.intervention.active(step)]
        if not active:
            return natural
        if step == 0:
            moment.now.setdefault(name, natural)  # in step 0 a target's own past is its natural start
        truth = natural.dtype == torch.bool and name in self.yes_or_no
        # what is 0 or 1 without chance may be set to a dose
        kind = natural.dtype if truth or natural.dtype != torch.bool else torch.float32
        shape = (*natural.shape[:-2], len(self.worlds), natural.shape[-1])
        rows = list(natural.to(kind).expand(shape).unbind(-2))
        for forced in active:
            if forced.source is not None:
                rows[forced.world] = rows[forced.source]
                continue
            value = torch.as_tensor(forced.evaluate(moment), dtype=torch.float32)
            new = value[..., min(forced.world, value.shape[-2] - 1), :] if value.dim() > 1 else value
            new = new.expand(rows[0].shape)
            old = rows[forced.world]
            changed = {"=": new, "+=": old + new, "*=": old * new}[forced.intervention.operator]
            if forced.intervention.operator != "=" or not isinstance(forced.intervention.value, Number | Level):
                self.check_value(forced, changed, moment)
            rows[forced.world] = torch.as_tensor(is_true(changed)) if truth else changed.to(kind)
        return torch.stack(rows, -2)

    def check_value(self, forced: Forced, value: Tensor, moment: StepState) -> None:
        """Raise NosographError for the first living patient whom an intervention gives what the variable cannot be."""
        name = forced.intervention.target
        variable = self.model.variables[name]
        if variable.levels:
            valid = (value >= 0) & (value < len(variable.levels)) & (value == torch.floor(value))
            rule, fix = list_some(variable.levels), f'{name} = "{variable.levels[0]}"'
        elif name in self.yes_or_no:
            valid = (value == 0) | (value == 1)
            rule, fix = "0 or 1", f"{name} = 1"
        else:  # a measurement is checked where it is recorded
            valid = torch.isfinite(value) | (variable.kind == "measurement")
            rule, fix = "a finite number", f"{name} = clip(…, low, high)"
        if bool(valid.all()):
            return
        dead = moment.dead[..., min(forced.world, moment.dead.shape[-2] - 1), :] if moment.dead is not None else None
        found = find_bad(~valid, value, time=moment.time, dead=dead, patients=moment.patients)
        if found is not None:
            if math.isnan(found.value):
                fix = "where(recorded(x), …, …) around a measurement that may not be recorded yet"
            raise fail(f"the intervention must give {rule}", node=name, value=str(found), fix=fix)


def _spread(value: Value, shape: tuple[int, int]) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float32).expand(shape)


def ancestors(model: Model, names: Iterable[str], *, worlds: Iterable[World] = ()) -> list[str]:
    """`names` and everything they depend on, including policies in `worlds`, in the order of the model."""
    graph = model.graph
    for intervention in (i for world in worlds for i in world.interventions):
        for read in reads(intervention.value):
            if read.name in model.variables and intervention.target in model.variables:
                graph.add_edge(read.name, intervention.target)
    closing = [v.name for v in model.variables.values() if v.ends == "record"]
    wanted: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in wanted:
            wanted.add(name)
            stack += graph.predecessors(name)
            variable = model.variables[name]
            stack += closing if variable.kind == "measurement" else []
            stack += [v.name for v in model.variables.values() if v.competes and v.competes == variable.competes]
    return [name for name in model.variables if name in wanted]
