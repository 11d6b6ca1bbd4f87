"""Names of variables, from the labels of concepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain, count

from ...families import FAMILIES
from ...language.syntax import RESERVED
from ...model.model import KEY_COLUMNS

SUFFIXES = ("", "_noted", "_liability", "_frequency", "_own", "_threshold", "_onset", "_active", "_degree", "_strength")
_LONGEST = 60


class VariableNames:
    """Gives each label its own name (lower case letters, digits and _) that neither language nor model uses yet, with
    any of the suffixes."""

    def __init__(self, used: Iterable[str] = (), *, suffixes: Sequence[str] = SUFFIXES) -> None:
        self._suffixes = suffixes
        self._taken = {name.lower() for name in (*RESERVED, *FAMILIES, *KEY_COLUMNS, *used)}

    def choose(self, label: str, *, otherwise: str) -> str:
        """A name for a label; `otherwise` (such as a CURIE) is added if the label alone is taken or gives no name, and
        a number if that is taken too."""
        base, spare = to_name(label), to_name(otherwise)
        longer = f"{base}_{spare}" if base else spare
        for name in filter(None, chain((base, longer), (f"{longer}_{number}" for number in count(2)))):
            made = {name + suffix for suffix in self._suffixes}
            if not made & self._taken:
                self._taken |= made
                return name
        raise AssertionError("numbers never end")


def to_name(label: str) -> str:
    """`Long fingers (2nd-5th)` -> `long_fingers_2nd_5th`; `has_` goes before a digit at the beginning."""
    text = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower().replace("'", "")
    words = re.findall(r"[a-z0-9]+", text)
    name = "_".join(words)
    while len(name) > _LONGEST and len(words) > 1:
        words.pop()
        name = "_".join(words)
    return f"has_{name}" if name[:1].isdigit() else name


def to_identifier(label: str) -> str:
    """The `id` of a document, from a disease's name: lower case letters, digits and -."""
    return to_name(label).replace("_", "-") or "disease"
