"""A clinic's imperfection against hpo-toolkit's hierarchy and closed forms."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.hpo import locate_hpo
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.simulate.cohort import open_run, simulate, simulate_to
from nosograph.simulate.listing import clinic as clinic_module
from nosograph.simulate.listing.clinic import count_listed, parse_clinic
from nosograph.simulate.listing.phenotypes import find_phenotypes

from ... import hpo_toolkit

FILE = Path(__file__).parents[2] / "models" / "phenotypes.yaml"
MODEL = load_model(FILE)
CLINIC = "listing=3, imprecise=0.3, incidental=0.7"
WORLDS = {"short": "long_fingers = 0"}
ABNORMALITY = "HP:0000118"


@pytest.fixture(scope="module")
def listing() -> pd.DataFrame:
    return simulate(MODEL, patients=3_000, seed=4, worlds=WORLDS, clinic=CLINIC).listing.to_pandas()


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return simulate(MODEL, patients=3_000, seed=4, worlds=WORLDS).table("truth").to_pandas()


@pytest.fixture(scope="module")
def concepts() -> dict[str, str]:
    found = find_phenotypes(MODEL, knowledge=KnowledgeGraph.open())
    return dict(zip(found.names, found.concepts, strict=True))


def write(folder: Path, **keys: Any) -> Any:
    return simulate_to(MODEL, folder, patients=900, worlds=["short: long_fingers = 0"], **{"clinic": CLINIC, **keys})


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_phenotypes_are_found_by_concept_and_by_being_present_or_absent(concepts: dict[str, str]) -> None:
    assert list(concepts) == [
        *("limb_abnormality", "long_fingers", "arachnodactyly", "myopia", "ectopia_lentis", "scoliosis", "pes_planus"),
        *("high_palate", "striae", "hypospadias", "aortic_dissection"),
    ]


def test_a_run_is_the_same_for_any_shards_and_workers(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", shard_size=300)
    again = write(tmp_path / "again", shard_size=300, workers=2)
    other = write(tmp_path / "other", shard_size=131)
    assert contents(tmp_path / "whole") == contents(tmp_path / "again")
    assert whole.dataset_sha256 == again.dataset_sha256 == other.dataset_sha256
    held = [open_run(tmp_path / name).listing.to_pandas().astype("object") for name in ("whole", "other")]
    pd.testing.assert_frame_equal(*held)
    assert whole.rows["listing"] == len(held[0])
    manifest = json.loads((tmp_path / "whole" / "manifest.json").read_text())
    assert manifest["clinic"] == {"listing": 3.0, "imprecise": 0.3, "incidental": 0.7}
    assert sum(name.startswith("listing/") for name in manifest["files"]) == 3


def test_without_a_clinic_nothing_changes(tmp_path: Path) -> None:
    imperfect = write(tmp_path / "imperfect")
    perfect = write(tmp_path / "perfect", clinic=None)
    held, bare = contents(tmp_path / "imperfect"), contents(tmp_path / "perfect")
    assert held.keys() - bare.keys() == {"listing/part-00000.parquet"}
    assert all(held[name] == bare[name] for name in bare if name != "manifest.json")
    assert "clinic" not in json.loads((tmp_path / "perfect" / "manifest.json").read_text())
    assert perfect.dataset_sha256 != imperfect.dataset_sha256
    for name, clinic in (("imperfect", None), ("perfect", CLINIC), ("imperfect", "listing=4")):
        with pytest.raises(NosographError, match="another run"):
            write(tmp_path / name, clinic=clinic)
    with pytest.raises(NosographError, match="listing"):
        open_run(tmp_path / "perfect").listing  # noqa: B018
    with pytest.raises(NosographError, match="without a clinic"):
        simulate(MODEL, patients=3).listing  # noqa: B018


def test_rows_are_the_most_specific_terms_that_held(
    listing: pd.DataFrame, truth: pd.DataFrame, concepts: dict[str, str]
) -> None:
    ever = truth.groupby(["patient", "world"], observed=True)[list(concepts)].max()
    above = {concept: hpo_toolkit.ancestors(concept) for concept in concepts.values()}
    rows = listing[listing["how"] != "incidental"]
    assert (rows["variable"].map(concepts).astype(str) == rows["term"].astype(str)).all()
    found = rows.groupby(["patient", "world"], observed=True)["term"].agg(set)
    for key, held in list(ever.iterrows())[:1_000]:
        own = {concepts[name] for name in concepts if held[name] > 0}
        general = {term for term in own for other in own if term in above[other]}
        assert found.get(key, set()) == own - general


def test_what_stands_in_a_term_s_place_is_a_sibling_or_an_ancestor(listing: pd.DataFrame) -> None:
    rows = listing[["term", "concept", "how"]].astype("object")
    assert rows.loc[rows["how"] == "as is", "term"].eq(rows.loc[rows["how"] == "as is", "concept"]).all()
    assert rows.loc[rows["how"] == "omitted", "concept"].isna().all()
    wrong = rows[rows["how"].isin(["sibling", "ancestor"])].drop_duplicates()
    assert len(wrong) > 50
    for term, concept, how in wrong.itertuples(index=False):
        above = hpo_toolkit.ancestors(term)
        if how == "ancestor":
            assert concept in above
            assert ABNORMALITY in hpo_toolkit.ancestors(concept)
        else:
            assert hpo_toolkit.parents(term) & hpo_toolkit.parents(concept)
            assert concept not in above | hpo_toolkit.descendants(term) | {term}


def test_terms_are_imprecise_at_the_stated_rate(listing: pd.DataFrame) -> None:
    written = listing[(listing["world"] == "factual") & listing["how"].isin(["as is", "sibling", "ancestor"])]
    wrong, kinds = written["how"] != "as is", written["how"].value_counts()
    assert abs(wrong.mean() - 0.3) < 4.5 * np.sqrt(0.3 * 0.7 / len(written))  # false alarm: 7e-6
    assert abs(kinds["sibling"] - kinds["ancestor"]) < 4.5 * np.sqrt(wrong.sum())


def test_incidental_terms_are_not_of_the_disease_and_fit_the_sex(
    listing: pd.DataFrame, concepts: dict[str, str]
) -> None:
    rows = listing[listing["how"] == "incidental"]
    assert rows["variable"].isna().all()
    assert rows["term"].isna().all()
    number = rows[rows["world"] == "factual"].groupby("patient").size().reindex(range(3_000), fill_value=0)
    assert abs(number.mean() - 0.7) < 4.5 * np.sqrt(0.7 / 3_000) + 0.005  # one drawn twice is written once
    annotated = {row[3] for row in _annotations() if row[0] == MODEL.disease}
    own = annotated | set(concepts.values())
    related = own.union(*(hpo_toolkit.ancestors(term) | hpo_toolkit.descendants(term) for term in own))
    drawn = set(rows["concept"])
    assert len(drawn) > 500
    assert not drawn & related
    assert all(ABNORMALITY in hpo_toolkit.ancestors(term) for term in drawn)
    sexes = simulate(MODEL, patients=3_000, seed=4).patients.to_pandas().set_index("patient")["sex"]
    for sex, top in (("female", "HP:0010461"), ("male", "HP:0010460")):
        of_other = hpo_toolkit.descendants(top) | {top}
        assert drawn & of_other
        assert not set(rows.loc[rows["patient"].map(sexes) == sex, "concept"]) & of_other


def test_incidental_terms_are_as_frequent_as_the_diseases_that_have_them(listing: pd.DataFrame) -> None:
    drawn = listing.loc[(listing["how"] == "incidental") & (listing["world"] == "factual"), "concept"].astype(str)
    weight = pd.DataFrame([(r[3], r[0]) for r in _annotations() if r[10] == "P" and r[2] != "NOT"])
    weight = weight.drop_duplicates()[0].value_counts()
    annotated = {row[3] for row in _annotations() if row[0] == MODEL.disease}
    own = annotated | set(find_phenotypes(MODEL, knowledge=KnowledgeGraph.open()).concepts)
    related = own.union(*(hpo_toolkit.ancestors(term) | hpo_toolkit.descendants(term) for term in own))
    genital = hpo_toolkit.descendants("HP:0000078")
    pool = weight[[t for t in weight.index if t not in related | genital and ABNORMALITY in hpo_toolkit.ancestors(t)]]
    kept = drawn[drawn.isin(pool.index)]
    rare = pool[pool.cumsum() > 0.7 * pool.sum()].index  # the least annotated, 30% of all annotations
    expected = pool[rare].sum() / pool.sum()
    share = kept.isin(rare).mean()
    assert abs(share - expected) < 4.5 * np.sqrt(expected * (1 - expected) / len(kept))


def _annotations() -> list[list[str]]:
    with locate_hpo()[1].open(encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if line[0] != "#" and not line.startswith("database")]


def test_the_number_listed_is_log_normal_with_the_median_asked_for() -> None:
    patients = np.arange(200_000)
    number = count_listed(7, patients=patients, seed=1)
    scale = np.hypot(clinic_module.AUTHOR_SPREAD, clinic_module.PATIENT_SPREAD)
    assert np.median(number) == 7
    authors = len(patients) / clinic_module.CASELOAD
    for limit in (3, 5, 7, 12, 20):  # rounded: up to `limit` is under limit + 1/2
        expected = stats.lognorm(scale, scale=7).cdf(limit + 0.5)
        assert abs((number <= limit).mean() - expected) < 4.5 * np.sqrt(expected * (1 - expected) / authors)
    first, second = np.log(number[::10]), np.log(number[1::10])  # two patients of one author
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.5, abs=0.03)


def test_fewer_terms_are_written_than_hold_and_all_where_few_hold(listing: pd.DataFrame) -> None:
    base = listing[(listing["world"] == "factual") & (listing["how"] != "incidental")]
    held = base.groupby("patient").size()
    written = base[base["how"] != "omitted"].groupby("patient").size()
    number = pd.Series(count_listed(3, patients=np.arange(3_000), seed=4))[held.index]
    assert (written.reindex(held.index, fill_value=0) == np.minimum(held, number)).all()


def test_worlds_share_what_the_intervention_does_not_reach(listing: pd.DataFrame, truth: pd.DataFrame) -> None:
    sides = {
        world: {patient: list(rows.itertuples(index=False)) for patient, rows in part.groupby("patient")}
        for world, part in listing.astype("object").fillna("").drop(columns="world").groupby(listing["world"])
    }
    reached = set(truth.loc[(truth["world"] == "factual") & (truth["long_fingers"] > 0), "patient"])
    same = [p for p in range(3_000) if sides["factual"].get(p) == sides["short"].get(p)]
    assert set(range(3_000)) - reached <= set(same)
    assert len(same) < 3_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("listin=7", "listing"),
        ("listing=0", "at least one"),
        ("listing=many", "number"),
        ("listing", "number"),
        ("imprecise=1.5", "probability"),
        ("imprecise=nan", "probability"),
        ("incidental=-1", "mean number"),
        ("incidental=1e9", "mean number"),
        ("listing=7, listing=8", "twice"),
        ("", "another name"),
    ],
)
def test_bad_clinics_are_named(text: str, message: str) -> None:
    with pytest.raises(NosographError, match=message):
        parse_clinic(text)


def test_a_model_without_phenotypes_says_so() -> None:
    six = load_model(FILE.with_name("six.yaml"))
    with pytest.raises(NosographError, match="nothing to write"):
        simulate(six, patients=10, clinic="listing=7")


def test_any_subset_may_be_asked_for() -> None:
    listing = simulate(MODEL, patients=200, clinic="imprecise=0").listing.to_pandas()
    assert set(listing["how"]) == {"as is"}
    listing = simulate(MODEL, patients=200, clinic="incidental=0.5").listing.to_pandas()
    assert set(listing["how"]) == {"as is", "incidental"}
