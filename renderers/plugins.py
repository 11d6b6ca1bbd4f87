"""Registries that other packages can join: what is built in, by name, and what entry points add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import fail, list_some, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@dataclass(frozen=True)
class Plugins:
    """Things of one kind, by name.

    `what` they are, for messages, and the `flag` of the command line that names one; `group`: the group of entry points
    by which other packages join; `built_in`: where ours are, as an entry point says it, relative to
    `nosograph.renderers`.
    """

    what: str
    flag: str
    group: str
    built_in: Mapping[str, str]

    def list_names(self) -> list[str]:
        """The names of all, built-in ones first."""
        return [*self.built_in, *sorted(self._find_joined())]

    def load(self, name: str) -> Any:
        """What has this name.

        Raises NosographError for an unknown name (saying the nearest), for one that two packages claim, and for a
        package that does not load.
        """
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return getattr(import_module(module, __package__), attribute)
        joined = self._find_joined()
        found = joined.get(name, [])
        if not found:
            known = [*self.built_in, *sorted(joined)]
            near = nearest(name, known) or (known[0] if len(known) == 1 else "")
            raise fail(f"unknown {self.what}", value=name, fix=f"{self.flag} {near}" if near else list_some(known))
        if len(found) > 1:
            owners = ", ".join(_owner(point) for point in found)
            problem = f"several packages have a {self.what} of this name"
            raise fail(problem, value=f"{name}: {owners}", fix="uninstall all but one")
        try:
            return found[0].load()
        except Exception as error:  # another package's fault, whatever it is
            fix = f"a version of {_owner(found[0])} that works with this nosograph"
            problem = f"the {self.what} does not load: {error!r}"
            raise fail(problem, node=name, value=found[0].value, fix=fix) from error

    def _find_joined(self) -> dict[str, list[EntryPoint]]:
        """The entry points of other packages by name. One that has a built-in's name is ignored."""
        from importlib.metadata import entry_points

        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self.group):
            if point.name not in self.built_in:
                found.setdefault(point.name, []).append(point)
        return found


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
