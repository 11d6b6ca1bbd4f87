"""A commented document to begin with."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ...errors import fail
from ...ontology.document import IDENTIFIER
from ...ontology.output import write_text


def write_starter(path: Path) -> None:
    """Write a small disease model with comments, named after the file; it passes `model check` as it is.

    Raises NosographError where the file is there already, or its name cannot be that of a model.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise fail("a new model is written in YAML", value=path, fix=f"{path.stem or 'my-disease'}.yaml")
    if path.exists():
        raise fail("the file is there already", value=path, fix="another name")
    if not IDENTIFIER.fullmatch(path.stem):
        raise fail("the name of the file names the model", value=path, fix="my-disease.yaml: letters, digits and -")
    text = resources.files(__package__).joinpath("starter.yaml").read_text(encoding="utf-8")
    write_text(path, text.replace("id: my-disease", f"id: {path.stem}", 1))
