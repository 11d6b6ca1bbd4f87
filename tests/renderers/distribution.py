"""A distribution of somebody else's, as importlib.metadata sees an installed one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(site: Path, module: str, code: str, *, group: str, points: Mapping[str, str]) -> Path:
    """Write a distribution with one module, and its entry points, into the folder `site`, which is returned."""
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
    listed = "".join(f"{name} = {place}\n" for name, place in points.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{listed}")
    return site
