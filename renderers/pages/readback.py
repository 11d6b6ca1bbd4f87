"""The report's section on effects through a modality: what was read of it beside the record."""

from __future__ import annotations

from ..usage import write_unit
from .figures import show
from .html import Markup, join, table, tag
from .results import Document, verdict_of


def tell_through(held: Document) -> tuple[str, Markup]:
    """The section's title and body, of what `verification-<modality>.json` holds."""
    through = held["through"]
    modality = str(through["modality"])
    intro = (
        f"DoWhy examined the same effects on values read from {through['artifacts']:,} {modality} of "
        f"{through['patients']:,} patients, by a reader that sees neither the record nor what the {modality} were made "
        "from. The truth is still that of the worlds. Intervals are individual 95% ones; the last two columns are what "
        "reading costs: how far the estimate moves, and how many times as wide its interval is."
    )
    rows = [row for effect in held["effects"] for row in _rows_of(effect)]
    head: list[object] = ["effect", "truth", "from the record", f"from {modality}", "moves by", "as wide"]
    verdicts = [
        join(tag("h3", effect["effect"]), verdict_of(effect["through"]), _tell_sources(effect["through"]))
        for effect in held["effects"]
    ]
    return f"Effects through {modality}", join(
        tag("p", intro),
        *(tag("p", caveat) for caveat in through["caveats"]),
        table(head, rows, numbers=5),
        *verdicts,
        tell_accuracy(through),
    )


def _rows_of(effect: Document) -> list[list[object]]:
    through = effect["through"]
    truth = "–" if effect["truth"] is None else _sign(effect["truth"])
    rows: list[list[object]] = []
    for cost in through["cost"]:
        own, read = (_tell(_find(found, cost["method"])) for found in (effect, through))
        name = join(effect["effect"], tag("br"), tag("span", cost["method"], class_="soft"))
        rows.append([name, truth, own, read, _sign(cost["difference"]), f"{cost['width_ratio']:.2f}"])
    return rows or [[effect["effect"], truth, "–", "–", "–", "–"]]


def _find(found: Document, method: str) -> Document:
    held: Document = next(one for one in found["estimates"] if one["method"] == method)
    return held


def _tell(found: Document) -> str:
    low, high = found["interval"]
    return f"{_sign(found['estimate'])} ({_sign(low)} to {_sign(high)})"


def _sign(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _tell_sources(through: Document) -> Markup:
    read, taken = ", ".join(through["read"]), ", ".join(through["taken"])
    words = f"Read: {read or 'nothing'}." + (f" The run's own, since nothing tells of it: {taken}." if taken else "")
    return tag("p", words, class_="soft")


def tell_accuracy(through: Document) -> Markup:
    """What was read of the record, by variable."""
    rows: list[list[object]] = []
    for one in through["accuracy"]:
        wrong = "–" if one["wrong"] is None else f"{one['wrong']:,}"
        rmse = "–" if one["rmse"] is None else f"{show(one['rmse'])} {write_unit(one['unit'])[0]}".rstrip()
        counts = [f"{one['recorded']:,}", f"{one['read']:,}", wrong, f"{one['missed']:,}", f"{one['invented']:,}"]
        rows.append([one["variable"], *counts, rmse])
    head: list[object] = ["", "recorded", "read", "wrong", "missed", "invented", "RMSE"]
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(through["counts"].items()))
    caption = "Read: at its own time. Wrong: further off than written digits are. RMSE of an event: of its date."
    return join(table(head, rows, title=caption, numbers=6), tag("p", f"Of readings: {told}.", class_="soft"))
