"""The render protocol with a renderer of another package, and notes from end to end: bytes, twins, mistakes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import nosograph as ng
from nosograph.causal.model.load import load_model
from nosograph.causal.program.noise import draw_uniform64
from nosograph.errors import NosographError
from nosograph.renderers import registry
from nosograph.renderers.binding import bind
from nosograph.renderers.exports.phenopacket import export_phenopackets
from nosograph.renderers.noise import Noise, invent_entry
from nosograph.renderers.protocol import Requirement
from nosograph.renderers.render import BATCH, label_time
from nosograph.renderers.selection import choose_patients, find_worlds, parse_times, write_ranges
from nosograph.simulate.cohort import Run, open_run, simulate, simulate_to
from tests.renderers.distribution import install

MODELS = Path(__file__).parents[1] / "models"
PACKAGE = '''
"""A package of somebody else's, which draws the truth as a text of numbers."""
from nosograph.renderers.modality import Modality
from nosograph.renderers.protocol import Artifact, Requirement

class StripRenderer:
    reads_truth = True
    timeless = False
    lines_hold_all = False
    shared_files = {"about.txt": b"strips"}

    def __init__(self, model, *, knowledge, options):
        self.options = options

    def requires(self):
        return (Requirement("severity", ("state",), recorded=False),)

    def plan_moments(self, journey):
        return [int(step) for step in journey.truth_steps[::12]]

    def render(self, moments):
        return [self.draw(moment) for moment in moments]

    def draw(self, moment):
        if not moment.journey.covers(moment.time):
            return []
        place = list(moment.journey.truth_steps).index(moment.step)
        value = float(moment.journey.truth["severity"][place])
        grain = moment.noise.uniform("grain", 3)
        text = f"{value:.4f} {grain}"
        return [Artifact("trace", moment.time, {".dat": text.encode(), ".hdr": b"header"}, {"grain": grain})]

    def measure(self, artifact):
        return [float(artifact.files[".dat"].split()[0])]

def refuse():
    raise AssertionError

STRIP = Modality("strip", "Strips", lambda: StripRenderer)
NOTES = Modality("notes", "Other notes", refuse)
MISNAMED = StripRenderer
'''


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution, as importlib.metadata sees it."""
    points = {
        "strip": "strip_pictures:STRIP",
        "notes": "strip_pictures:NOTES",
        "lost": "not_there:LOST",
        "other": "strip_pictures:MISNAMED",
    }
    site = install(tmp_path / "site", "strip_pictures", PACKAGE, group=registry.GROUP, points=points)
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("render") / "run"
    model = load_model(str(MODELS / "six.yaml"))
    simulate_to(model, folder, patients=250, seed=2, worlds=["given: treated = 1"], shard_size=90)
    return folder


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Run:
    """A run of its own for each test, to render into."""
    return open_run(shutil.copytree(kept, tmp_path / "run"))


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# The registry


def test_another_package_joins(other_package: Path, run: Run) -> None:
    assert registry.list_modalities() == [*registry.BUILT_IN, "lost", "other", "strip"]
    made = ng.render(run, modality="strip", patients="0-9", at="0, 12 months")
    truth = run.table("truth").to_pandas().set_index(["patient", "world", "time"])["severity"]
    for line in made.lines():
        text = (run.folder / line["path"]).read_text()
        assert float(text.split()[0]) == pytest.approx(truth[line["patient"], line["world"], line["at"]], abs=1e-4)
        assert (run.folder / line["path"]).with_suffix(".hdr").read_bytes() == b"header"
    assert len(made) == len(list(made.artifacts())) > 20
    assert (made.folder / "about.txt").read_bytes() == b"strips"
    assert registry.find_modality("strip").title == "Strips"


def test_a_built_in_modality_stays_what_it_is(other_package: Path) -> None:
    assert registry.find_modality("notes").title == "Notes"


def test_a_package_that_does_not_load_is_named(other_package: Path, run: Run) -> None:
    with pytest.raises(NosographError, match="does not load") as caught:
        ng.render(run, modality="lost")
    assert "strip-pictures" in caught.value.problems[0].fix
    with pytest.raises(NosographError, match="something else than this modality"):
        ng.render(run, modality="other")


def test_an_unknown_modality_names_the_nearest(run: Run) -> None:
    with pytest.raises(NosographError) as caught:
        ng.render(run, modality="note")
    assert (caught.value.problems[0].value, caught.value.problems[0].fix) == ("note", "--modality notes")


# Twins and noise


def test_twins_share_all_noise(other_package: Path, run: Run) -> None:
    made = ng.render(run, modality="strip", patients="0-49")
    grains: dict[tuple[int, float], dict[str, list[float]]] = {}
    for line in made.lines():
        grains.setdefault((line["patient"], line["at"]), {})[line["world"]] = line["grain"]
    both = [worlds for worlds in grains.values() if len(worlds) == 2]
    assert len(both) > 100
    assert all(worlds["factual"] == worlds["given"] for worlds in both)
    different = {tuple(next(iter(worlds.values()))) for worlds in grains.values()}
    assert len(different) == len(grains)  # and nobody else has it, at no other time


@given(
    seed=st.integers(0, 2**63 - 1), patient=st.integers(0, 2**62), step=st.integers(0, 10**6), name=st.text(max_size=9)
)
def test_noise_is_the_keyed_generator_s(seed: int, patient: int, step: int, name: str) -> None:
    noise = Noise(seed, "notes", patient, step)
    first, second = noise.uniform(name, 2)
    window = range(step, step + 1)
    numbers = np.array([patient])
    for index, told in enumerate((first, second)):
        drawn = draw_uniform64(seed=seed, name=f"notes/{name}", patients=numbers, steps=window, component=str(index))
        assert told == float(drawn)
    assert noise.uniform(name) == (first,)
    assert noise.choose(name, "ab") == ("a" if first < 0.5 else "b")
    assert noise.of_patient() == Noise(seed, "notes", patient, step + 1).of_patient()
    assert noise.of_author(3) == Noise(seed, "notes", patient + 1, step).of_author(3)
    assert noise.of_author(3).uniform(name) != noise.of_author(4).uniform(name)


def test_choices_follow_their_weights() -> None:
    """False alarm: 1e-6."""
    chosen = [Noise(1, "notes", patient, 0).choose("w", "xyz", (1, 2, 5)) for patient in range(4000)]
    assert stats.chisquare([chosen.count(c) for c in "xyz"], [500, 1000, 2500]).pvalue > 1e-6


def test_entry_dates_are_weekdays_in_office_hours_but_for_wards() -> None:
    clinic, ward = load_model("alzheimers").clock, load_model("sepsis").clock
    dates = [invent_entry(0, patient, clock=clinic) for patient in range(2000)]
    assert all(date.weekday() < 5 and 9 <= date.hour < 17 and 2015 <= date.year <= 2022 for date in dates)
    assert len({date.date() for date in dates}) > 1000
    assert {invent_entry(0, patient, clock=ward).hour for patient in range(500)} == set(range(24))
    life = replace(clinic, horizon=80.0)
    assert {invent_entry(0, patient, clock=life).year for patient in range(500)} == set(range(1945, 1952))


def test_what_is_said_alike_is_written_alike_in_twins(run: Run) -> None:
    texts: dict[tuple[int, float, str], list[tuple[object, str]]] = {}
    for line in ng.render(run, patients="0-60").lines():
        facts = sorted((s["fact"], s["status"], str(s["value"]), str(s["previous"])) for s in line["spans"])
        texts.setdefault((line["patient"], line["at"], line["document"]), []).append((facts, line["text"]))
    twins = [pair for pair in texts.values() if len(pair) == 2]
    alike = [pair for pair in twins if pair[0][0] == pair[1][0]]
    assert 20 < len(alike) < len(twins)
    assert all(ours[1] == theirs[1] for ours, theirs in alike)


# On disk


def test_the_same_bytes_for_any_workers_and_after_an_interruption(run: Run, tmp_path: Path) -> None:
    alone = ng.render(run, at="6 months", world="given")
    assert len(alone.parts) == -(-len(run) // BATCH) > 2
    first = digest(alone.folder)
    shutil.move(alone.folder, tmp_path / "alone")
    told: list[int] = []
    several = ng.render(run, at="6 months", world="given", workers=2, progress=told.append)
    assert digest(several.folder) == first
    assert sum(told) == len(run)
    shutil.rmtree(several.folder)

    class StopError(Exception):
        pass

    def stop(patients: int) -> None:
        raise StopError

    with pytest.raises(StopError):
        ng.render(run, at="6 months", world="given", progress=stop)
    unfinished = run.folder / "notes"
    assert (unfinished / "part-00000.jsonl").is_file()
    assert not (unfinished / "manifest.json").exists()
    with pytest.raises(NosographError, match="another seed"):
        ng.render(run, at="6 months", world="given", seed=1)
    untouched = (unfinished / "part-00000.jsonl").stat().st_mtime_ns
    again = ng.render(run, at="6 months", world="given")
    assert digest(again.folder) == first
    assert (unfinished / "part-00000.jsonl").stat().st_mtime_ns == untouched


def test_what_fails_leaves_nothing_half_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from nosograph.renderers.notes import renderer

    asked: list[int] = []

    def fail_later(note: object) -> object:
        asked.append(1)
        if len(asked) > 40:
            raise OSError(28, "No space left on device")
        return keep(note)  # type: ignore[arg-type]

    keep = renderer.write_line
    monkeypatch.setattr(renderer, "write_line", fail_later)
    with pytest.raises(NosographError, match="disk is full"):
        ng.render(run, patients="0-20")
    left = [path for path in (run.folder / "notes").rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix == ".jsonl" or path.name.startswith("draft-")]
    monkeypatch.undo()
    made = ng.render(run, patients="0-20")
    assert len(list(made.lines())) == len(made)
    assert not (made.folder / ".unfinished").exists()


def test_rendering_again_does_nothing_and_differently_is_refused(run: Run) -> None:
    made = ng.render(run, patients="0-5")
    before = digest(made.folder)
    stamp = (made.folder / "manifest.json").stat().st_mtime_ns
    again = ng.render(run, patients=range(6))
    assert (again.names, again.parts) == (made.names, made.parts)
    assert (made.folder / "manifest.json").stat().st_mtime_ns == stamp
    for other in ({"patients": "0-6"}, {"patients": "0-5", "seed": 3}, {"patients": "0-5", "world": "given"}):
        with pytest.raises(NosographError, match="rendered with another") as caught:
            ng.render(run, **other)  # type: ignore[arg-type]
        assert str(made.folder) in caught.value.problems[0].fix
    assert digest(made.folder) == before


def test_the_manifest_has_arguments_and_digests(run: Run) -> None:
    made = ng.render(run, patients="3,0-1", at="0, 12 months", world="given", seed=9)
    held = json.loads((made.folder / "manifest.json").read_text())
    assert (held["seed"], held["steps"], held["worlds"]) == (9, [0, 12], ["given"])
    assert held["dataset_sha256"] == run.manifest["dataset_sha256"]
    for part, entry in held["parts"].items():
        content = (made.folder / part).read_bytes()
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert {artifact["world"] for artifact in made.artifacts()} == {"given"}
    assert {artifact["at"] for artifact in made.artifacts()} == {0, 1}


def test_files_are_for_few_and_lines_for_all(run: Run, tmp_path: Path) -> None:
    few = ng.render(run, patients="0-4")
    for line in few.lines():
        assert (run.folder / line["path"]).read_text(encoding="utf-8") == line["text"]
    names = [path.name for path in few.folder.rglob("*.txt")]
    assert len(names) == len(few)
    shutil.move(few.folder, tmp_path / "few")
    none = ng.render(run, patients="0-4", files=False)
    assert not list(none.folder.rglob("*.txt"))
    held = (none.folder / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()
    for artifact in none.artifacts():
        part, _, number = artifact["path"].rpartition("#")
        assert json.loads(held[int(number)])["patient"] == artifact["patient"]
        assert part.endswith("part-00000.jsonl")
    texts = [line["text"] for line in none.lines()]
    shutil.rmtree(none.folder)
    shutil.move(tmp_path / "few", none.folder)
    assert [line["text"] for line in ng.render(run, patients="0-4").lines()] == texts


@pytest.mark.parametrize("name", ["alzheimers", "sepsis", "demographics", "core_everything.yaml", "disease.yaml"])
def test_notes_of_every_model(name: str, tmp_path: Path) -> None:
    model = load_model(str(MODELS / name) if name.endswith(".yaml") else name)
    simulate_to(model, tmp_path / "run", patients=6, seed=1)
    made = ng.render(tmp_path / "run")
    assert len(made) >= 6
    for line in made.lines():
        assert line["text"].strip()
        for span in line["spans"]:
            assert 0 <= span["start"] < span["end"] <= len(line["text"])


# What is asked for


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0-3", [0, 1, 2, 3]), ("7, 2,2", [2, 7]), ("5-5", [5]), (" 1 - 3 ,9", [1, 2, 3, 9]), ([4, 1], [1, 4])],
)
def test_patients_are_numbers_and_ranges(text: str, numbers: list[int], run: Run) -> None:
    entered = set(run.table("patients").column("patient").to_pylist())
    wanted = [number for number in numbers if number in entered]
    alone = set(text if isinstance(text, list) else [int(t) for t in text.split(",") if "-" not in t])
    if alone <= entered:
        assert choose_patients(run, text) == wanted
    else:
        with pytest.raises(NosographError, match="no such patient"):
            choose_patients(run, text)


@pytest.mark.parametrize("text", ["a", "3-", "-1", "5-2", "99999", "0-99999", "1;2", ""])
def test_patients_out_of_range_are_named(text: str, run: Run) -> None:
    with pytest.raises(NosographError) as caught:
        choose_patients(run, text)
    assert caught.value.problems[0].fix


@given(st.sets(st.integers(0, 60), min_size=1))
def test_ranges_say_what_they_list(numbers: set[int]) -> None:
    text = write_ranges(sorted(numbers))
    told: set[int] = set()
    for part in text.split(","):
        low, _, high = part.partition("-")
        told |= set(range(int(low), int(high or low) + 1))
    assert told == numbers


def test_times_are_durations_on_the_record(run: Run, tmp_path: Path) -> None:
    assert parse_times(run, "0, 18 months") == [0, 18]
    assert parse_times(run, "0") == [0]
    assert parse_times(run, "1 year, 3 months") == [3, 12]
    assert parse_times(run, None) is None
    for text, problem in (("4 years", "past the horizon"), ("1 week", "off the grid"), ("soon", "duration")):
        with pytest.raises(NosographError, match=problem):
            parse_times(run, text)
    simulate_to(run.model, tmp_path / "short", patients=3, years=1)
    with pytest.raises(NosographError, match="off the record") as caught:
        parse_times(open_run(tmp_path / "short"), "0, 18 months")
    assert caught.value.problems[0].fix == "at most 1 years"


def test_truth_that_the_run_leaves_out_is_named(other_package: Path, run: Run, tmp_path: Path) -> None:
    simulate_to(run.model, tmp_path / "sparse", patients=3, every=6)
    with pytest.raises(NosographError, match="truth") as caught:
        ng.render(tmp_path / "sparse", modality="strip", at="0, 3 months")
    assert caught.value.problems[0].value == "3 months"
    simulate_to(run.model, tmp_path / "narrow", patients=3, keep=["treated"])
    with pytest.raises(NosographError, match="leaves out") as caught:
        ng.render(tmp_path / "narrow", modality="strip")
    assert "severity" in caught.value.problems[0].fix


def test_an_unknown_world_names_the_nearest(run: Run) -> None:
    assert find_worlds(run, None) == ["factual", "given"]
    with pytest.raises(NosographError, match="no such world") as caught:
        ng.render(run, world="givn")
    assert caught.value.problems[0].fix == "given"


def test_a_locale_that_is_not_offered_is_refused(run: Run) -> None:
    with pytest.raises(NosographError, match="locale"):
        ng.render(run, locale="fr")
    assert not (run.folder / "notes").exists()


def test_a_cohort_in_memory_is_saved_first(run: Run) -> None:
    with pytest.raises(NosographError, match=r"cohort\.save"):
        ng.render(simulate(run.model, patients=3))  # type: ignore[arg-type]


def test_a_folder_of_something_else_is_left_alone(run: Run) -> None:
    (run.folder / "notes").mkdir()
    (run.folder / "notes" / "mine.txt").write_text("mine")
    with pytest.raises(NosographError, match="holds no rendering"):
        ng.render(run)
    assert digest(run.folder / "notes").keys() == {"mine.txt"}


# Binding


def test_requirements_are_met_by_what_is_below_a_concept() -> None:
    knowledge = ng.ontology.knowledge.KnowledgeGraph.open()
    model = load_model("alzheimers")
    volumes = Requirement("brain volumes", ("state",), ("HP:0012639",), unit="mL", recorded=False)
    assert [v.name for v in bind(volumes, model=model, knowledge=knowledge)] == [
        "hippocampal_volume", "ventricular_volume", "white_matter_hyperintensity",
    ]  # fmt: skip
    genes = Requirement("genes", ("static",), ("HGNC:",))
    assert [v.name for v in bind(genes, model=model, knowledge=knowledge)] == ["apoe4"]


def test_what_a_model_lacks_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from nosograph.renderers.notes.renderer import NotesRenderer

    volumes = Requirement("volumes of brain structures", ("state",), ("HP:0012639",), unit="mL", recorded=False)
    monkeypatch.setattr(NotesRenderer, "requires", lambda self: (volumes,))
    with pytest.raises(NosographError, match="no volumes of brain structures") as caught:
        ng.render(run)
    assert "HP:0012639 (Abnormal nervous system morphology)" in caught.value.problems[0].fix


def test_files_sort_by_time(run: Run) -> None:
    assert [label_time(run, step) for step in (0, 6, 36)] == ["00-months", "06-months", "36-months"]


# The command


def nosograph(*arguments: str) -> str:
    """What the command says on standard output."""
    command = [sys.executable, "-c", "from nosograph.commands import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_lists_its_artifacts(run: Run) -> None:
    told = nosograph(
        "render", str(run.folder), "--patients", "0-3", "--at", "0, 12 months", "--world", "given", "--json"
    )
    found = json.loads(told)["artifacts"]
    assert found
    for artifact in found:
        assert set(artifact) == {"patient", "world", "at", "modality", "path"}
        assert Path(artifact["path"]).is_file()


@pytest.mark.parametrize("name", ["../../x", "/abs"])
def test_no_world_of_a_run_leads_out_of_it(run: Run, tmp_path: Path, name: str) -> None:
    """A run that a stranger made may call its worlds anything: it is refused when it is opened, and by its name."""
    held = json.loads((run.folder / "manifest.json").read_text())
    held["worlds"][1]["name"] = name
    with pytest.raises(NosographError, match="name cannot be that of a file"):
        export_phenopackets(replace(run, manifest=held), world=name)
    (run.folder / "manifest.json").write_text(json.dumps(held))
    before = digest(tmp_path)
    with pytest.raises(NosographError, match="a world's name begins with a letter"):
        ng.render(run.folder, patients="0-3")
    with pytest.raises(NosographError, match="a world's name begins with a letter"):
        export_phenopackets(open_run(run.folder), world=name)
    assert digest(tmp_path) == before
    assert not (Path("/") / "abs").exists()
