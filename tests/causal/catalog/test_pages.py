"""The catalog's pages are what `nosograph model document` writes today, and the references have the numbers on them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from nosograph.causal.explain.page import render_page
from nosograph.causal.model.load import list_catalog, load_model

from .reference_alzheimers import Alzheimers
from .reference_demographics import Demographics
from .reference_sepsis import Sepsis

PAGES = Path(__file__).parents[3] / "docs" / "catalog"


def test_each_model_has_a_page_and_each_page_a_model() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(list_catalog())


@pytest.mark.parametrize("name", list_catalog())
def test_a_page_is_what_the_command_writes(name: str) -> None:
    page = PAGES / f"{name}.md"
    current = page.read_text(encoding="utf-8") == render_page(load_model(name))
    assert current, f"the page is out of date: nosograph model document {name} -o docs/catalog/{name}.md"


@pytest.mark.parametrize(
    ("name", "reference"), [("alzheimers", Alzheimers()), ("demographics", Demographics()), ("sepsis", Sepsis())]
)
def test_a_reference_has_the_numbers_of_the_page(name: str, reference: Alzheimers | Demographics | Sepsis) -> None:
    """The references were written from the pages; comparing samples cannot see every number (see test_catalog.py)."""
    assert asdict(reference) == {p.name: p.value for p in load_model(name).parameters.values()}
