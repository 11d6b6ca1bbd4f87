"""Names of variables, from the labels of concepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ...families import FAMILIES
from ...language.syntax import RESERVED
from ...model.model import KEY_COLUMNS

SUFFIXES = ("", "_noted", "_liability", "_frequency", "_own", "_threshold", "_onset", "_active", "_degree", "_strength")
_LONGEST = 60


class VariableNames:
    """Gives each label its own name (lower case letters, digits and _) that neither language nor model uses yet."""

    def __init__(self, used: Iterable[str] = ()) -> None:
        self._taken = {name.lower() for name in (*RESERVED, *FAMILIES, *KEY_COLUMNS, *used)}

    def choose(self, label: str, *, otherwise: str) -> str:
        """A name for a label; `otherwise` (such as a CURIE) is added if the label alone is taken or gives no name."""
        base, spare = to_name(label), to_name(otherwise)
        for name in filter(None, (base, f"{base}_{spare}" if base else spare)):
            made = {name + suffix for suffix in SUFFIXES}
            if not made & self._taken:
                self._taken |= made
                return name
        raise AssertionError(f"two concepts are called {otherwise}")


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
