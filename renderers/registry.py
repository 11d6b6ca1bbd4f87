"""Which renderers there are: the built-in ones, and those of other packages (entry points, "nosograph.renderers").

Another package joins with, in its pyproject.toml:

    [project.entry-points."nosograph.renderers"]
    retina = "retina_pictures:RetinaRenderer"      # a protocol.Factory, such as a class that is a protocol.Renderer
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from ..errors import fail, nearest
from .protocol import Factory

GROUP = "nosograph.renderers"
BUILT_IN = {"notes": (".notes.renderer", "NotesRenderer")}


def list_modalities() -> list[str]:
    """The modalities that can be rendered, built-in ones first."""
    return [*BUILT_IN, *sorted(_joined())]


def find_factory(modality: str) -> Factory:
    """What builds the renderer of a modality.

    Raises NosographError for an unknown modality (naming the nearest), two packages that claim one, and a package that
    does not load.
    """
    if modality in BUILT_IN:
        module, name = BUILT_IN[modality]
        built_in: Factory = getattr(import_module(module, __package__), name)
        return built_in
    found = _joined().get(modality, [])
    if not found:
        known = list_modalities()
        near = nearest(modality, known) or ", ".join(known)
        raise fail("there is no renderer of this modality", value=modality, fix=near)
    if len(found) > 1:
        owners = ", ".join(_owner(point) for point in found)
        raise fail("several packages render this modality", value=f"{modality}: {owners}", fix="uninstall all but one")
    try:
        joined: Factory = found[0].load()
    except Exception as error:  # another package's fault, whatever it is
        fix = f"a version of {_owner(found[0])} that works with this nosograph"
        raise fail(f"the renderer does not load: {error!r}", node=modality, value=found[0].value, fix=fix) from error
    return joined


def _joined() -> dict[str, list[EntryPoint]]:
    """The entry points of other packages by modality; one that takes a built-in's name is not heard."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        if point.name not in BUILT_IN:
            found.setdefault(point.name, []).append(point)
    return found


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
