"""What is read once is read before the clock of a first input runs."""

from __future__ import annotations

import pytest

from nosograph.causal.model.concepts import open_knowledge


@pytest.fixture(scope="session", autouse=True)
def ontologies() -> None:
    """The ontologies that ship."""
    open_knowledge()
