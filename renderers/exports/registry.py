"""Which formats there are: the built-in ones, and those of other packages (entry points, "nosograph.exports").

Another package joins with, in its pyproject.toml:

    [project.entry-points."nosograph.exports"]
    omop = "omop_tables:export_omop"      # a protocol.Exporter
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plugins import Plugins

if TYPE_CHECKING:
    from .protocol import Exporter

GROUP = "nosograph.exports"
BUILT_IN = {"phenopacket": ".exports.phenopacket:export_phenopackets"}
FORMATS = Plugins("format", "--to", GROUP, BUILT_IN)


def list_formats() -> list[str]:
    """The names of the formats that a run can be exported to, built-in ones first."""
    return FORMATS.list_names()


def find_exporter(name: str) -> Exporter:
    """What exports to this format. Raises NosographError as `Plugins.load` does."""
    exporter: Exporter = FORMATS.load(name)
    return exporter
