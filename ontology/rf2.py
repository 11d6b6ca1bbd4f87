"""A SNOMED CT snapshot in Release Format 2 as triples.

Columns as in the SNOMED CT Release File Specification, sections 4.2.1 to 4.2.3 (https://docs.snomed.org). As in
SNOMED's own OWL conversion, the fully specified name is the `rdfs:label` and synonyms are `skos:altLabel`; a relation
other than "is a" becomes one plain triple, without its role group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pyoxigraph as ox

from ..errors import fail
from .obo import CLASS, DEPRECATED, HOLDS, LABEL, ONTOLOGY, RDF_TYPE, REPLACED_BY, SUBCLASS_OF, TRUE
from .prefixes import VOCABULARIES, check_verhoeff

CONCEPT = ["id", "effectiveTime", "active", "moduleId", "definitionStatusId"]
DESCRIPTION = [
    *("id", "effectiveTime", "active", "moduleId", "conceptId"),
    *("languageCode", "typeId", "term", "caseSignificanceId"),
]
RELATIONSHIP = [
    *("id", "effectiveTime", "active", "moduleId", "sourceId", "destinationId"),
    *("relationshipGroup", "typeId", "characteristicTypeId", "modifierId"),
]
ASSOCIATION = ["id", "effectiveTime", "active", "moduleId", "refsetId", "referencedComponentId", "targetComponentId"]

ROOT = "138875005"
IS_A = "116680003"
FULLY_SPECIFIED_NAME = "900000000000003001"
SYNONYM = "900000000000013009"
DEFINITION_TYPE = "900000000000550004"
REPLACED_BY_REFSETS = ("900000000000526001", "900000000000527005")  # REPLACED BY, SAME AS

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_SNOMED = "http://snomed.info/id/"
_ALT_LABEL = ox.NamedNode(VOCABULARIES["skos"] + "altLabel")
_DEFINITION = ox.NamedNode(VOCABULARIES["skos"] + "definition")


def read_rf2(folder: Path) -> Iterator[ox.Quad]:
    """The triples of an RF2 snapshot folder, searched at any depth. Inactive concepts become deprecated; inactive
    descriptions and relationships are left out.

    Raises NosographError, with file and line, if a file is missing, lies outside the folder, or has other columns.
    """
    concepts = _find(folder, "sct2_Concept_Snapshot")
    descriptions = [*_find(folder, "sct2_Description_Snapshot"), *_find(folder, "sct2_TextDefinition_Snapshot", 0)]
    relationships = _find(folder, "sct2_Relationship_Snapshot")
    associations = _find(folder, "der2_cRefset_AssociationSnapshot", 0)
    for file in concepts:
        for identifier, _, active, *_ in _rows(file, CONCEPT):
            yield ox.Quad(_concept(identifier, file), RDF_TYPE, CLASS)
            if active == "0":
                yield ox.Quad(_concept(identifier, file), DEPRECATED, TRUE)
            elif identifier == ROOT:  # the whole of SNOMED CT hangs below: what is not here does not exist
                yield ox.Quad(ox.NamedNode("http://snomed.info/sct"), RDF_TYPE, ONTOLOGY)
                yield ox.Quad(ox.NamedNode("http://snomed.info/sct"), HOLDS, ox.Literal("SNOMEDCT"))
    predicates = {FULLY_SPECIFIED_NAME: LABEL, SYNONYM: _ALT_LABEL, DEFINITION_TYPE: _DEFINITION}
    for file in descriptions:
        for _, _, active, _, concept, language, kind, term, _ in _rows(file, DESCRIPTION):
            if active == "1" and kind in predicates:
                if not _LANGUAGE.fullmatch(language):
                    raise fail("not a language code", value=language[:80], fix="en", file=str(file))
                yield ox.Quad(_concept(concept, file), predicates[kind], ox.Literal(term, language=language))
    for file in relationships:
        for _, _, active, _, source, target, _, kind, _, _ in _rows(file, RELATIONSHIP):
            if active == "1":
                relation = SUBCLASS_OF if kind == IS_A else _concept(kind, file)
                yield ox.Quad(_concept(source, file), relation, _concept(target, file))
    for file in associations:
        for _, _, active, _, refset, source, target in _rows(file, ASSOCIATION):
            if active == "1" and refset in REPLACED_BY_REFSETS:
                yield ox.Quad(_concept(source, file), REPLACED_BY, _concept(target, file))


@lru_cache(maxsize=2**20)
def _concept(identifier: str, file: Path) -> ox.NamedNode:
    if not (identifier.isdecimal() and identifier.isascii() and check_verhoeff(identifier)):
        raise fail("not a SNOMED CT identifier (digits, the last a check digit)", value=identifier, file=str(file))
    return ox.NamedNode(_SNOMED + identifier)


def _find(folder: Path, start: str, least: int = 1) -> list[Path]:
    root = folder.resolve()
    files = sorted(folder.rglob(f"{start}*.txt"))
    for file in files:
        if not file.resolve().is_relative_to(root):
            raise fail("this file of the release lies outside its folder", fix="copy it in", file=str(file))
    if len(files) < least:
        raise fail(
            f"no {start}*.txt in this folder", fix="the folder of an RF2 snapshot, unpacked", value=folder, node="RF2"
        )
    return files


def _rows(file: Path, columns: list[str]) -> Iterator[list[str]]:
    """The rows of an RF2 file: UTF-8, tabs, no quoting, the exact columns in the first line."""
    try:
        with file.open(encoding="utf-8-sig", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                row = line.rstrip("\r\n").split("\t")
                if number == 1 and row != columns:
                    raise fail(
                        "other columns than RF2's", fix="\t".join(columns), value=line[:200], file=str(file), line=1
                    )
                if len(row) != len(columns):
                    raise fail(f"{len(columns)} columns are needed", value=line[:200], file=str(file), line=number)
                if number > 1:
                    yield row
    except UnicodeDecodeError as error:
        raise fail("RF2 files are UTF-8", value=error.reason, file=str(file)) from error
