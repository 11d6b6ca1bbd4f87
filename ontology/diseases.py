"""Finding an annotated disease by its identifier or name; the error names the nearest ones."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from itertools import chain

from ..errors import fail
from .annotations import find_annotations, is_annotated, list_disease_synonyms, list_diseases
from .knowledge import KnowledgeGraph
from .prefixes import find_prefix, is_iri

PREFIXES = ("OMIM", "ORPHA", "DECIPHER")
_SHOWN = 5
_ALIKE = 0.3  # names less alike than this are no suggestion
_WRITE = "OMIM:154700, ORPHA:558, DECIPHER:1 or a disease's name"


def find_disease(text: str, *, knowledge: KnowledgeGraph) -> str:
    """The CURIE of the annotated disease with this identifier (in any case; ORPHANET: and MIM: too) or this name.

    A name is a whole label or synonym, in any case. Raises NosographError if no disease has it (with the nearest), if
    several have it (with all of them), and if HPO annotates no phenotype to the disease.
    """
    text = text.strip()
    name, colon, local = text.partition(":")
    prefix = find_prefix(name)
    if is_iri(text):
        found = _find_identifier(knowledge.curie(text), knowledge)
    elif prefix and colon:
        found = _find_identifier(f"{prefix.name}:{local.strip()}", knowledge)
    else:
        found = _find_name(text, knowledge)
    if not any(annotation.aspect == "P" for annotation in find_annotations(found, knowledge=knowledge)):
        raise fail("HPO annotates no phenotype to this disease", value=knowledge.describe(found), fix="another disease")
    return found


def _find_identifier(curie: str, knowledge: KnowledgeGraph) -> str:
    name, _, local = curie.partition(":")
    prefix = find_prefix(name)
    written = prefix is not None and prefix.accepts(local)
    if written and is_annotated(curie, knowledge=knowledge):
        return curie
    if prefix is None or name not in PREFIXES:
        near = [other for other in knowledge.cross_references(curie) if _is_one(other, knowledge)] if written else []
        fix = " or ".join(knowledge.describe(other) for other in near) or _WRITE
        raise fail(f"HPO annotates diseases of {', '.join(PREFIXES)}", value=curie, fix=fix)
    if written and (instead := knowledge.replacements(curie)):
        fix = " or ".join(knowledge.describe(other) for other in instead)
        raise fail("this disease is obsolete", value=curie, fix=fix)
    near = [f"{name}:{other}" for other in _one_change(local) if prefix.accepts(other)]
    near = [other for other in near if is_annotated(other, knowledge=knowledge)][:_SHOWN]
    fix = "\n".join(knowledge.describe(other) for other in near) or "its name, or another identifier"
    raise fail("HPO annotates no disease of this identifier", value=curie, fix=fix)


def _is_one(curie: str, knowledge: KnowledgeGraph) -> bool:
    return curie.partition(":")[0] in PREFIXES and is_annotated(curie, knowledge=knowledge)


def _one_change(local: str) -> list[str]:
    """The identifiers with two neighbours swapped, or one digit removed, added or changed; changes at the end first."""
    cuts = [(local[:i], local[i:]) for i in range(len(local), -1, -1)]
    changed = [a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1]
    changed += [a + b[1:] for a, b in cuts if b]
    changed += [a + digit + b for a, b in cuts for digit in string.digits]
    changed += [a + digit + b[1:] for a, b in cuts if b for digit in string.digits]
    return list(dict.fromkeys(changed))


def _find_name(text: str, knowledge: KnowledgeGraph) -> str:
    names = list_diseases(knowledge=knowledge)
    wanted = text.casefold()
    exact = [curie for curie, name in names.items() if name.casefold() == wanted]
    other = {} if exact else list_disease_synonyms(knowledge=knowledge)
    exact += [curie for curie, own in other.items() if any(name.casefold() == wanted for name in own)]
    if len(exact) == 1:
        return exact[0]
    if exact:
        fix = "\n".join(knowledge.describe(curie) for curie in exact)
        raise fail("several diseases have this name", value=text, fix=fix)
    fix = "\n".join(knowledge.describe(curie) for curie in _nearest(text, names, other))
    raise fail("HPO annotates no disease of this name", value=text, fix=fix or _WRITE)


def _nearest(text: str, names: Mapping[str, str], synonyms: Mapping[str, Sequence[str]]) -> list[str]:
    """The diseases with the most similar names, by the Dice coefficient of their sets of trigrams."""
    wanted = _trigrams(text)
    score: dict[str, float] = {}
    for curie, name in chain(names.items(), ((c, name) for c, own in synonyms.items() for name in own)):
        theirs = _trigrams(name)
        alike = 2 * len(wanted & theirs) / (len(wanted) + len(theirs))
        if alike > max(_ALIKE, score.get(curie, 0.0)):
            score[curie] = alike
    return sorted(score, key=lambda curie: (-score[curie], curie))[:_SHOWN]


def _trigrams(text: str) -> set[str]:
    padded = f"  {text.casefold()} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}
