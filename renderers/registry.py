"""Which modalities there are: the built-in ones, and those of other packages (entry points, "nosograph.renderers").

Another package joins with, in its pyproject.toml:

    [project.entry-points."nosograph.renderers"]
    retina = "retina_pictures.modality:RETINA"      # a modality.Modality of this name
"""

from __future__ import annotations

from ..errors import fail
from .modality import Modality
from .plugins import Plugins

GROUP = "nosograph.renderers"
BUILT_IN = {"notes": ".notes.modality:NOTES"}
MODALITIES = Plugins("modality", "--modality", GROUP, BUILT_IN)


def list_modalities() -> list[str]:
    """The names of the modalities that can be rendered, built-in ones first."""
    return MODALITIES.list_names()


def find_modality(name: str) -> Modality:
    """The modality of this name. Raises NosographError as `Plugins.load` does, and for what is not such a modality."""
    found = MODALITIES.load(name)
    if not isinstance(found, Modality) or found.name != name:
        fix = f'"{name} = …" names a nosograph.renderers.modality.Modality whose name is {name!r}'
        raise fail("the entry point names something else than this modality", node=name, value=repr(found), fix=fix)
    return found
