"""JSON documents of a run folder: read whole, bounded, and held to a schema. The folder may come from anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from ...errors import fail

MOST_BYTES = 2**28  # of a document: the manifest of a run of some 100,000 shards has 50 million


class RunDocument(BaseModel):
    """A JSON object of a run folder. Numbers are finite, unless a class says otherwise; keys that the schema does not
    name are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


def read_document(
    path: Path, schema: type[RunDocument], *, what: str, fix: str, most: int = MOST_BYTES
) -> dict[str, Any]:
    """The object in a JSON file. Raises NosographError where it is not `what` it should be ("a manifest")."""
    return parse_document(read_bounded(path, most=most, fix=fix), schema, what=what, file=str(path), fix=fix)


def read_bounded(path: Path, *, most: int, fix: str) -> bytes:
    """The bytes of a file. Raises NosographError where it cannot be read, or has more than `most`."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise fail(f"the file cannot be read: {error.strerror}", file=str(path), fix=fix) from error
    if len(content) > most:
        raise fail(f"the file has more than {most:,} bytes", file=str(path), fix=fix)
    return content


def parse_document(
    content: bytes, schema: type[RunDocument], *, what: str, file: str, line: int = 0, fix: str
) -> dict[str, Any]:
    """The object that JSON text holds. Raises NosographError where it is not `what` it should be."""
    try:
        held = from_json(content, allow_inf_nan=bool(schema.model_config.get("allow_inf_nan")))
        schema.model_validate(held, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        value = repr(first["input"])
        shown = value if len(value) <= 100 else f"{value[:100]}…"
        raise fail(
            f"this is not {what}: {first['msg']}", node=place, value=shown, file=file, line=line, fix=fix
        ) from error
    except ValueError as error:
        raise fail(f"this is not {what}: {error}", file=file, line=line, fix=fix) from error
    document: dict[str, Any] = held
    return document
