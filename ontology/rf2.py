"""SNOMED CT releases in Release Format 2 as triples.

Columns and names of files as in the SNOMED CT Release File Specification, sections 4.2.1 to 4.2.3 and 3.3.2
(https://docs.snomed.org). As in SNOMED's own OWL conversion, the fully specified name is the `rdfs:label` and synonyms
are `skos:altLabel`; a relation other than "is a" becomes one plain triple, without its role group.

Packages are read together (an international release and an extension): of each component, the state with the latest
effective time counts, active or not. So a Full file gives what its Snapshot gives, and a Delta brings a Snapshot up to
date.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from sys import intern

import pyoxigraph as ox

from ..errors import fail
from .obo import CLASS, DEPRECATED, HOLDS, LABEL, ONTOLOGY, RDF_TYPE, REPLACED_BY, SUBCLASS_OF, TRUE
from .prefixes import VOCABULARIES, check_verhoeff

ROOT = "138875005"
IS_A = "116680003"
FULLY_SPECIFIED_NAME = "900000000000003001"
SYNONYM = "900000000000013009"
DEFINITION_TYPE = "900000000000550004"
REPLACED_BY_REFSETS = ("900000000000526001", "900000000000527005")  # REPLACED BY, SAME AS

_SNOMED = "http://snomed.info/id/"
_ALT_LABEL = ox.NamedNode(VOCABULARIES["skos"] + "altLabel")
_DEFINITION = ox.NamedNode(VOCABULARIES["skos"] + "definition")
_NAMES = {FULLY_SPECIFIED_NAME: LABEL, SYNONYM: _ALT_LABEL, DEFINITION_TYPE: _DEFINITION}

_log = logging.getLogger("nosograph")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_TIME = re.compile(r"\d{8}(T\d{6}Z)?", re.ASCII)
_TYPES = ("Snapshot", "Full", "Delta")  # in order of preference where a package has the same file in several


@dataclass(frozen=True)
class Content:
    """One kind of file: how its name begins, its columns, and what is unknown without it."""

    name: str
    columns: tuple[str, ...]
    tells: str


@dataclass(frozen=True)
class ReleaseFile:
    """A file of the package `package`, which is the country or namespace in its name."""

    path: Path
    folder: Path
    package: str
    release_type: str


_COMMON = ("id", "effectiveTime", "active", "moduleId")
_TEXT = (*_COMMON, "conceptId", "languageCode", "typeId", "term", "caseSignificanceId")
CONCEPTS = Content("sct2_Concept_", (*_COMMON, "definitionStatusId"), "which concepts there are")
DESCRIPTIONS = Content("sct2_Description_", _TEXT, "the concepts' names")
DEFINITIONS = Content("sct2_TextDefinition_", _TEXT, "the concepts' definitions")
RELATIONSHIPS = Content(
    "sct2_Relationship_",
    (
        *(*_COMMON, "sourceId", "destinationId", "relationshipGroup"),
        *("typeId", "characteristicTypeId", "modifierId"),
    ),
    "the hierarchy",
)
ASSOCIATIONS = Content(
    "der2_cRefset_Association",
    (*_COMMON, "refsetId", "referencedComponentId", "targetComponentId"),
    "what replaces inactive concepts",
)
CONTENTS = (CONCEPTS, DESCRIPTIONS, DEFINITIONS, RELATIONSHIPS, ASSOCIATIONS)
_NECESSARY = (CONCEPTS, DESCRIPTIONS, RELATIONSHIPS)


def read_rf2(*folders: Path) -> Iterator[ox.Quad]:
    """The triples of RF2 folders, searched at any depth and taken together. Inactive concepts become deprecated;
    inactive descriptions and relationships are left out.

    A package that lacks a file is read with a warning. Raises NosographError, with file and line, if none has concepts,
    descriptions or relationships, if there is only a Delta, or if a file lies outside its folder or has other columns.
    """
    found = {content: _find(folders, content) for content in CONTENTS}
    _check_complete(folders, found)
    for file, (concept, _, active, *_) in _latest(found[CONCEPTS], CONCEPTS):
        yield ox.Quad(_concept(concept, file), RDF_TYPE, CLASS)
        if active == "0":
            yield ox.Quad(_concept(concept, file), DEPRECATED, TRUE)
        elif concept == ROOT:  # the whole of SNOMED CT hangs below: what is not here does not exist
            yield ox.Quad(ox.NamedNode("http://snomed.info/sct"), RDF_TYPE, ONTOLOGY)
            yield ox.Quad(ox.NamedNode("http://snomed.info/sct"), HOLDS, ox.Literal("SNOMEDCT"))
    for content in (DESCRIPTIONS, DEFINITIONS):
        for file, (_, _, active, _, concept, language, kind, term, _) in _latest(found[content], content):
            if active == "1" and kind in _NAMES:
                if not _LANGUAGE.fullmatch(language):
                    raise fail("not a language code", value=language[:80], fix="en", file=str(file))
                yield ox.Quad(_concept(concept, file), _NAMES[kind], ox.Literal(term, language=language))
    for file, (_, _, active, _, source, target, _, kind, _, _) in _latest(found[RELATIONSHIPS], RELATIONSHIPS):
        if active == "1":
            relation = SUBCLASS_OF if kind == IS_A else _concept(kind, file)
            yield ox.Quad(_concept(source, file), relation, _concept(target, file))
    for file, (_, _, active, _, refset, source, target) in _latest(found[ASSOCIATIONS], ASSOCIATIONS):
        if active == "1" and refset in REPLACED_BY_REFSETS:
            yield ox.Quad(_concept(source, file), REPLACED_BY, _concept(target, file))


@lru_cache(maxsize=2**20)
def _concept(identifier: str, file: Path) -> ox.NamedNode:
    if not (identifier.isdecimal() and identifier.isascii() and check_verhoeff(identifier)):
        raise fail("not a SNOMED CT identifier (digits, the last a check digit)", value=identifier, file=str(file))
    return ox.NamedNode(_SNOMED + identifier)


def _find(folders: Sequence[Path], content: Content) -> list[ReleaseFile]:
    """The files of one kind, of each package its Snapshot, otherwise its Full, otherwise its Delta.

    A name is `[x or z]FileType_ContentType_ContentSubType_CountryNamespace_VersionDate.txt`, and a ContentSubType has
    a summary (MONO, UKCL), the release type and a language. The summary of an association reference set begins with
    Association, AssociationReference in older releases, AlternativeAssociation in some.
    """
    begin = content.name.replace("_Association", "_[A-Za-z]*Association")
    pattern = re.compile(rf"([xz]?{begin}[A-Za-z0-9]*?)({'|'.join(_TYPES)})([-_].*)?\.txt")
    alike: dict[tuple[Path, str, str], list[ReleaseFile]] = {}
    for folder in folders:
        root = folder.resolve()
        for path in sorted(folder.rglob("*.txt")):
            match = pattern.fullmatch(path.name)
            if match is None:
                continue
            if not path.resolve().is_relative_to(root):
                raise fail("this file of the release lies outside its folder", fix="copy it in", file=str(path))
            rest = match[3] or ""
            file = ReleaseFile(path, folder, "".join(rest.split("_")[1:2]), match[2])
            alike.setdefault((folder, match[1], rest), []).append(file)
    preferred = (min((file.release_type for file in files), key=_TYPES.index) for files in alike.values())
    return [
        file
        for files, kind in zip(alike.values(), preferred, strict=True)
        for file in files
        if file.release_type == kind
    ]


def _check_complete(folders: Sequence[Path], found: dict[Content, list[ReleaseFile]]) -> None:
    for content in _NECESSARY:
        if not found[content]:
            raise fail(
                f"no {content.name}Snapshot*.txt in this folder: nothing says {content.tells}",
                fix="the folder of an unpacked RF2 release, in which a file is named "
                f"[x]{content.name}[…]Snapshot[-language]_[country or namespace]_[date].txt (or …Full…)",
                value=", ".join(map(str, folders)),
                node="RF2",
            )
        if all(file.release_type == "Delta" for file in found[content]):
            raise fail(
                "a Delta has only what has changed since another release",
                fix="the Snapshot or Full folder of its package, or this Delta together with an earlier Snapshot",
                file=str(found[content][0].path),
            )
    packages = dict.fromkeys((file.folder, file.package) for files in found.values() for file in files)
    for content, files in found.items():
        for folder, package in packages:
            if not any((file.folder, file.package) == (folder, package) for file in files):
                name = f"[x]{content.name}…Snapshot…_{package}_[date].txt"
                _log.warning("no %s in %s: this package does not say %s", name, folder, content.tells)


def _latest(files: Sequence[ReleaseFile], content: Content) -> Iterator[tuple[Path, list[str]]]:
    """The rows of these files, of each component its latest state. Where one time has two states, the active one
    counts. The files are read twice, so that memory holds identifiers and times only."""
    latest: dict[str, str] = {}
    for file in files:
        for row in _rows(file.path, content.columns):
            state = intern(row[1] + row[2])
            if state > latest.get(row[0], ""):
                latest[row[0]] = state
    for file in files:
        for row in _rows(file.path, content.columns):
            if latest.get(row[0]) == row[1] + row[2]:
                del latest[row[0]]
                yield file.path, row


def _rows(file: Path, columns: Sequence[str]) -> Iterator[list[str]]:
    """The rows of an RF2 file: UTF-8, tabs, no quoting, the exact columns in the first line."""
    try:
        with file.open(encoding="utf-8-sig", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                row = line.rstrip("\r\n").split("\t")
                if number == 1 and [name.lower() for name in row] != [name.lower() for name in columns]:
                    raise fail(
                        "other columns than RF2's", fix="\t".join(columns), value=line[:200], file=str(file), line=1
                    )
                if len(row) != len(columns):
                    raise fail(f"{len(columns)} columns are needed", value=line[:200], file=str(file), line=number)
                if number == 1:
                    continue
                if not _TIME.fullmatch(row[1]):
                    raise fail(
                        "not an effective time",
                        fix="a date such as 20250101",
                        value=row[1][:80],
                        file=str(file),
                        line=number,
                    )
                if row[2] not in ("0", "1"):
                    raise fail("active is 0 or 1", fix="1", value=row[2][:80], file=str(file), line=number)
                yield row
    except UnicodeDecodeError as error:
        raise fail("RF2 files are UTF-8", value=error.reason, file=str(file)) from error
