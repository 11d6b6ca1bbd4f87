"""A commented document to start from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ...errors import fail
from ...ontology.document import IDENTIFIER
from ...ontology.output import write_new


def write_starter(path: Path) -> None:
    """Write a small disease model with comments, named after the file; it passes `model check` as it is.

    Raises NosographError if the file exists with another text, or its name is not valid for a model.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise fail("a new model must be a YAML file", value=path, fix=f"{path.stem or 'my-disease'}.yaml")
    if not IDENTIFIER.fullmatch(path.stem):
        raise fail("the file name is not a valid model id", value=path, fix="my-disease.yaml: letters, digits and -")
    text = resources.files(__package__).joinpath("starter.yaml").read_text(encoding="utf-8")
    write_new(path, text.replace("id: my-disease", f"id: {path.stem}", 1))
