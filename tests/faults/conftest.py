"""The shim, compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Faults, build_shim


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "root").mkdir()
    made = Faults(build_shim(folder), root=folder / "root", state=folder / "state")
    yield made
    made.close()


@pytest.fixture
def root(faults: Faults) -> Path:
    """The folder below which operations count."""
    return Path(faults.environment["FAULTS_ROOT"])
