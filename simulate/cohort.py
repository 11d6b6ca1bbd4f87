"""Cohorts: many journeys in one or more worlds, in memory or as a run on disk, with the same tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import torch

from ..causal.language import Expression
from ..causal.model.compose import Source
from ..causal.model.duration import GRID
from ..causal.model.load import as_model, load_model, set_parameters
from ..causal.model.model import Model
from ..causal.model.world import FACTUAL, INTERVENED, World, parse_intervention, parse_world
from ..causal.program.journeys import Journeys
from ..causal.program.noise import check_seed
from ..causal.program.sampling import sample
from ..causal.program.threads import one_thread
from ..causal.program.uncertainty import draw_parameters
from ..errors import NosographError, check_whole, fail, nearest
from ..ontology.output import join_path
from .dataset import build_dataset
from .entrants import count_patients, parse_condition, select_entrants
from .listing.clinic import ClinicPractice, build_listing, parse_clinic, prepare_practice
from .runs.documents import read_document
from .runs.inventory import Inventory
from .runs.job import MANIFEST, tidy
from .runs.manifest import MODEL, RunManifest, check_agreement, check_files, check_names
from .runs.run import SHARD_SIZE, RunSummary, write_run
from .runs.shard import Job
from .runs.shards import Shards
from .runs.tables import BUILDERS, LISTING, Layout
from .runs.workers import PROCESSES

if TYPE_CHECKING:
    import xarray


class Tables:
    """What a cohort in memory and a run on disk have in common: `patients`, `record`, `events`, and the `truth`."""

    model: Model

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One of the tables, sorted by patient, world and time."""
        raise NotImplementedError

    def parts(self, name: str) -> Iterator[pa.Table]:
        """The same in parts of whole patients, one after the other, so that the whole need not be in memory."""
        yield self.table(name)

    @property
    def patients(self) -> pa.Table:
        """patient, world, recorded statics."""
        return self.table("patients")

    @property
    def record(self) -> pa.Table:
        """What a clinic would have: patient, world, time, variable, concept, value, level, unit, by measurement."""
        return self.table("record")

    @property
    def events(self) -> pa.Table:
        """patient, world, time, event, and whether the record holds it."""
        return self.table("events")

    @property
    def listing(self) -> pa.Table:
        """What a clinic wrote down of the terms that held, and how: patient, world, time, concept, variable, term, how.

        Raises NosographError where no clinic was asked for.
        """
        return self.table(LISTING)

    @cached_property
    def truth(self) -> xarray.Dataset:
        """What really was: every variable over world, patient and time, null after the end of a journey; statics have
        no time. What has levels and a time is codes into its attribute `levels`, -1 for null: see `build_dataset`."""
        return build_dataset(self.parts("truth"), model=self.model)


@dataclass(frozen=True)
class Cohort(Tables):
    """A cohort in memory. `drawn`: how many candidates were drawn until all had entered."""

    model: Model
    worlds: tuple[World, ...]
    seed: int
    steps: int
    where: Expression | None
    batches: tuple[Journeys, ...]
    drawn: int
    practice: ClinicPractice | None = None

    def __len__(self) -> int:
        return sum(len(batch.patients) for batch in self.batches)

    def __repr__(self) -> str:
        return f"Cohort of {len(self):,} from {self.model.id}, worlds: {', '.join(w.name for w in self.worlds)}"

    @cached_property
    def built(self) -> dict[str, pa.Table]:
        return {}

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        if name not in self.built:
            self.built[name] = pa.concat_tables(self.parts(name)).unify_dictionaries()
        return self.built[name] if columns is None else self.built[name].select(list(columns))

    def parts(self, name: str) -> Iterator[pa.Table]:
        return (self._build(name, batch) for batch in self.batches)

    def _build(self, name: str, batch: Journeys) -> pa.Table:
        if name != LISTING:
            return BUILDERS[name](batch, model=self.model)
        if self.practice is None:
            raise fail("the cohort was simulated without a clinic", value=self.model.id, fix='clinic="listing=7"')
        return build_listing(batch, model=self.model, practice=self.practice, seed=self.seed)

    def save(
        self,
        folder: str | Path,
        *,
        workers: int | None = None,
        engine: str = PROCESSES,
        shard_size: int = SHARD_SIZE,
    ) -> RunSummary:
        """Write the cohort as a run folder, with the same bytes as `nosograph simulate` with the same arguments."""
        return write_run(
            self.job, Path(folder), patients=len(self), where=self.where, workers=workers, engine=engine,
            shard_size=shard_size,
        )  # fmt: skip

    @property
    def job(self) -> Job:
        return Job(self.model, self.worlds, self.seed, self.steps, practice=self.practice)


@dataclass(frozen=True)
class Run(Tables):
    """A run folder, read when it is asked for."""

    folder: Path
    model: Model
    manifest: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.manifest["patients"])

    def __repr__(self) -> str:
        worlds = ", ".join(world["name"] for world in self.manifest["worlds"])
        return f"Run of {len(self):,} from {self.model.id} in {self.folder}, worlds: {worlds}"

    @cached_property
    def shards(self) -> Shards:
        """The tables' files: the only way to them."""
        return Shards(self.inventory, model=self.model, manifest=self.manifest)

    @property
    def inventory(self) -> Inventory:
        return Inventory(self.folder, self.manifest["files"], fix=advise(self.folder))

    def __getstate__(self) -> dict[str, Any]:
        """Sent to a worker without what has been checked: it checks what it reads."""
        return {key: value for key, value in self.__dict__.items() if key not in ("shards", "truth")}

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        return pa.concat_tables(self.parts(name, columns)).unify_dictionaries()

    def parts(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        return (self.shards.read(name, index, columns) for index in range(len(self.shards)))

    def truth_columns(self) -> list[str]:
        """The variables that the truth holds: with `--keep`, some."""
        return [name for name in self.model.variables if self.manifest["keep"] is None or name in self.manifest["keep"]]


def open_run(folder: str | Path) -> Run:
    """A finished run. Raises NosographError where `folder` holds none, where its manifest does not fit its model, and
    where one of its files is missing or has another size than the manifest says. What the files hold is checked when
    they are read."""
    run = read_run(Path(folder))
    run.inventory.check_sizes()
    tidy(run.folder)
    return run


def read_run(path: Path) -> Run:
    """The same, but for the sizes of its files."""
    file = path / MANIFEST
    if not file.is_file():
        if cohorts := list_cohorts(path):
            raise fail("the folder holds several cohorts, each of them a run", value=path, fix=str(cohorts[0]))
        raise fail("the folder holds no finished run", value=path, fix="nosograph simulate MODEL -n 1000 --out DIR")
    fix = advise(path)
    manifest = read_document(join_path(path, MANIFEST), RunManifest, what="the manifest of a run", fix=fix)
    check_files(manifest, file=str(file), fix=fix)
    model = load_model(Inventory(path, manifest["files"], fix=fix).find(MODEL))
    check_agreement(manifest, model, file=str(file), fix=fix)
    try:
        model = set_parameters(model, manifest["model"]["parameters"])
    except NosographError as error:
        first = error.problems[0]
        raise fail(f"in the manifest: {first.problem}", value=first.value, file=str(file), fix=fix) from error
    return Run(path, model, manifest)


def list_cohorts(folder: Path) -> list[Path]:
    """The runs that `--cohorts` made in a folder."""
    return list(takewhile(Path.is_dir, (folder / f"cohort-{number}" for number in count())))


def advise(folder: Path) -> str:
    """What to do about a damaged run."""
    return f"the run made again in another folder; `nosograph check {folder}` says what else is damaged"


def simulate(
    model: Model | Source,
    *,
    patients: int = 10_000,
    seed: int = 0,
    worlds: Mapping[str, str] | None = None,
    do: str | Sequence[str] = (),
    years: float | None = None,
    where: str | None = None,
    sample_parameters: bool = False,
    clinic: str | None = None,
) -> Cohort:
    """Simulate a cohort in memory, of a model or what `nosograph.load` finds: a catalog name, a path, a graph.

    `worlds` names worlds beside the factual one ({"treated": "lecanemab = 1 from 6 months"}); `do` intervenes in the
    base world itself, which is then called "intervened". `years` shortens the horizon, `where` selects at entry;
    `clinic` ("listing=7, imprecise=0.1, incidental=0.5", or any of these) writes down the phenotypes as clinicians do.
    `sample_parameters` draws the uncertain parameters, once for the cohort. Raises NosographError for what the model
    does not know and for N = 0.
    """
    patients, seed = count_patients(patients), check_seed(seed)
    model = as_model(model)
    model = set_parameters(model, draw_parameters(model, seed=seed)) if sample_parameters else model
    do = [do] if isinstance(do, str) else do
    chosen = choose_worlds(model, worlds=[f"{name}: {text}" for name, text in (worlds or {}).items()], do=do)
    steps = choose_steps(model, years)
    condition = parse_condition(where, model=model) if where else None
    practice = choose_practice(clinic, model=model)
    batches: list[Journeys] = []
    drawn = 0
    with one_thread():
        for entrants in select_entrants(model, count=patients, seed=seed, where=condition, batch=SHARD_SIZE):
            batches.append(sample(model, patients=entrants.numbers, seed=seed, worlds=chosen, steps=steps))
            drawn = entrants.drawn
    return Cohort(model, chosen, seed, steps, condition, tuple(batches), drawn, practice)


def choose_practice(clinic: str | None, *, model: Model) -> ClinicPractice | None:
    """The clinic that `clinic` asks for, ready for the model; None where it asks for none. Raises NosographError."""
    return prepare_practice(parse_clinic(clinic), model=model) if clinic is not None else None


def choose_worlds(model: Model, *, worlds: Sequence[str], do: Sequence[str]) -> tuple[World, ...]:
    """The base world, factual or intervened in by `do`, then the named ones."""
    base = World(INTERVENED, tuple(parse_intervention(text, model=model) for text in do)) if do else FACTUAL
    chosen = (base, *(parse_world(text, model=model) for text in worlds))
    check_names(chosen)
    return chosen


def choose_steps(model: Model, years: float | None) -> int:
    """The number of steps that `years` take, or the model's own."""
    if years is None:
        return model.clock.steps
    clock = model.clock
    exact = years / clock.step if 0 < years <= 2 * clock.horizon else 0.0  # and not NaN
    steps = round(exact)
    if not 1 <= steps <= clock.steps or abs(exact - steps) > GRID:
        last = min(max(math.floor(exact), 1), clock.steps)
        fix = f"{last * clock.step:.9g}, {last} steps of {clock.text[0]}; at most {clock.horizon:.9g}"
        raise fail("the years are not whole steps within the horizon", value=f"{years:g} years", fix=fix)
    return steps


def simulate_to(
    model: Model,
    folder: Path,
    *,
    patients: int,
    seed: int = 0,
    worlds: Sequence[str] = (),
    do: Sequence[str] = (),
    years: float | None = None,
    where: str | None = None,
    keep: Sequence[str] | None = None,
    every: int = 1,
    workers: int | None = None,
    engine: str = PROCESSES,
    shard_size: int = SHARD_SIZE,
    device: str = "cpu",
    sample_parameters: bool = False,
    clinic: str | None = None,
    progress: Callable[[int], None] = lambda patients: None,
) -> RunSummary:
    """Simulate into a run folder; the arguments are those of `nosograph simulate`. `sample_parameters` draws the
    uncertain parameters, once for the cohort; the manifest holds them. Raises NosographError."""
    count_patients(patients)
    model = set_parameters(model, draw_parameters(model, seed=seed)) if sample_parameters else model
    for name in keep or ():
        if name not in model.variables:
            raise fail(f"the model has no variable {name!r}", fix=nearest(name, model.variables), value=name)
    job = Job(
        model=model,
        worlds=choose_worlds(model, worlds=worlds, do=do),
        seed=seed,
        steps=choose_steps(model, years),
        layout=Layout(tuple(keep) if keep else None, every),
        device=choose_device(device),
        practice=choose_practice(clinic, model=model),
    )
    condition = parse_condition(where, model=model) if where else None
    return write_run(
        job, folder, patients=patients, where=condition, workers=workers, engine=engine, shard_size=shard_size,
        progress=progress,
    )  # fmt: skip


def simulate_cohorts(model: Model, folder: Path, *, cohorts: int, seed: int = 0, **options: Any) -> list[RunSummary]:
    """Simulate into `folder`/cohort-0 and so on; the `options` are those of `simulate_to`.

    Cohort k is made with seed + k, and so is what `simulate_to` makes alone with that seed. What was interrupted goes
    on from the finished cohorts and shards. Raises NosographError as `simulate_to`, and where `folder` is a run itself.
    """
    check_whole(cohorts, "the number of cohorts", least=1, fix="--cohorts 10")
    if (folder / MANIFEST).exists():
        raise fail("the folder holds a run, and not cohorts", value=folder, fix="a new folder")
    return [simulate_to(model, folder / f"cohort-{k}", seed=seed + k, **options) for k in range(cohorts)]


def simulate_one_or_many(model: Model, folder: Path, *, cohorts: int | None, **options: Any) -> list[RunSummary]:
    """One run in `folder` itself, or `cohorts` of them in it."""
    if cohorts is None:
        return [simulate_to(model, folder, **options)]
    return simulate_cohorts(model, folder, cohorts=cohorts, **options)


def choose_device(name: str) -> str:
    if name == "cpu" or (name == "cuda" and torch.cuda.is_available()):
        return name
    raise fail("torch has no such device here", value=name, fix="--device cpu")
