"""HTML and SVG by the element, escaped by default, and the report's one style sheet."""

from __future__ import annotations

import html

__all__ = ["STYLE", "WORLD_STYLES", "Markup", "count_of", "join", "table", "tag", "write_page"]

VOID = ("meta", "br", "hr")
WORLD_STYLES = 8  # worlds beyond these share a colour and dash


class Markup(str):
    """Text that is HTML already. Any other text is escaped before it comes into the page."""

    __slots__ = ()


def join(*parts: object) -> Markup:
    """Parts one after the other; what is not `Markup` is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else html.escape(str(part)) for part in parts))


def tag(name: str, /, *inside: object, **attributes: object) -> Markup:
    """An element. A trailing underscore is dropped from an attribute's name (`class_`), others become hyphens."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*inside)}</{name}>")


def write_page(title: str, *body: Markup) -> str:
    """A whole document that loads nothing: the policy in its head forbids scripts and every request."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', *body), lang='en')}\n"


def count_of(number: object, noun: str) -> str:
    return f"{number} {noun}" if str(number) == "1" else f"{number} {noun}s"


def table(head: list[object], rows: list[list[object]], *, title: str = "", numbers: int = 0) -> Markup:
    """A table; the first cell of each row is its heading, and the last `numbers` columns stand to the right."""
    kinds = [None] * (len(head) - numbers) + ["number"] * numbers
    top = tag(
        "thead", tag("tr", *(tag("th", cell, scope="col", class_=kind) for cell, kind in zip(head, kinds, strict=True)))
    )
    body = []
    for first, *cells in rows:
        body.append(
            tag(
                "tr",
                tag("th", first, scope="row"),
                *(tag("td", cell, class_=kind) for cell, kind in zip(cells, kinds[1:], strict=True)),
            )
        )
    name = [tag("caption", title)] if title else []
    return tag("div", tag("table", *name, top, tag("tbody", *body)), class_="wide")


# Worlds: Okabe & Ito's colours (Color Universal Design, 2008), darkened for white paper and lightened for the dark,
# with a dash each, so that nothing is told by colour alone.
STYLE = """
:root{--page:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--panel:#f6f8fa;--link:#0a58ca;
--good:#0b6b4a;--bad:#a8320b;--open:#5a5f66;
--w0:#4d5561;--w1:#0069a8;--w2:#c14a00;--w3:#00795a;--w4:#a3407a;--w5:#8a6100;--w6:#2277a8;--w7:#5b4bb5}
@media screen and (prefers-color-scheme:dark){:root{--page:#14181d;--ink:#e8ebee;--soft:#a4adb8;--line:#3a424c;
--panel:#1c2228;--link:#7ab7ff;--good:#5fd0a5;--bad:#ff9d76;--open:#b4bbc4;
--w0:#b9c1cb;--w1:#5cb8f0;--w2:#ff9a57;--w3:#3fcf9f;--w4:#ee9ccb;--w5:#e5b94a;--w6:#8fd0f5;--w7:#b3a6ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem 4rem;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
h1{font-size:1.8rem;line-height:1.2;margin:.2rem 0 .6rem}
h2{font-size:1.3rem;margin:2.8rem 0 .4rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.6rem 0 .3rem;overflow-wrap:anywhere}
p,ul{max-width:46rem;margin:.5rem 0}
a{color:var(--link)}
.lead{font-size:1.1rem}
.soft,figcaption,caption{color:var(--soft)}
.soft{font-size:.9rem}
nav{font-size:.9rem;margin:1rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem}
code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.88em}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;white-space:pre-wrap;
overflow-wrap:anywhere}
code{overflow-wrap:anywhere}
.wide{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.2rem 0 .4rem}
th,td{padding:.28rem .9rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{border-bottom:2px solid var(--line);font-weight:600}
tbody th{font-weight:500}
.number{text-align:right;white-space:nowrap}.together{display:inline-block;white-space:nowrap;margin-left:.25em}
details{margin:.8rem 0}
summary{cursor:pointer;color:var(--link)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;padding:0;margin:.5rem 0;max-width:none;
font-size:.92rem}
.legend svg,figcaption svg{width:34px;height:12px;vertical-align:middle;margin-right:.4rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:1.2rem 1.6rem;
margin:.8rem 0}
.panels figure{display:grid;grid-row:span 2;grid-template-rows:subgrid;gap:0}
.panels figure>svg{align-self:end}
.beside{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1rem 2rem;margin:.6rem 0}
figure{margin:0;break-inside:avoid}
figcaption{font-size:.85rem;line-height:1.35}
figcaption strong{color:var(--ink);font-size:.95rem}
.note{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);border:1px solid var(--line);
border-radius:6px;padding:.7rem .9rem;font-size:.88rem;line-height:1.45}
ins{text-decoration:none;border-left:3px solid var(--w1);padding-left:.3rem}
mark{background:none;color:inherit;font-weight:600;text-decoration:underline 2px var(--w2);text-underline-offset:.18em}
figure>svg{display:block;width:100%;height:auto;margin-top:.2rem}
.beside figure>svg{max-width:29rem}
svg text{font-family:inherit;font-size:11px;fill:var(--soft)}
svg .strong{fill:var(--ink)}
svg .axis{stroke:var(--soft);stroke-width:1;fill:none}
svg .grid{stroke:var(--line);stroke-width:1;fill:none}
svg .curve{fill:none;stroke-width:1.8;stroke-linejoin:round}
svg .band{stroke:none;opacity:.16}
svg .ghost{opacity:.5}
svg .end{fill:var(--line);opacity:.45}
.card{border:1px solid var(--line);border-radius:8px;padding:.2rem 1rem .8rem;margin:1rem 0;break-inside:avoid}
.card h3{margin:.7rem 0 .2rem}
.verdict{font-weight:600;margin:.2rem 0 .5rem}
.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--open)}
.forest{width:100%;table-layout:fixed}.forest th:first-child{width:32%}
.forest td,.forest th{border:0;padding:.1rem .8rem .1rem 0;vertical-align:middle}
.forest .plot{width:40%;padding:0 1.2rem 0 0}
.forest svg{display:block;width:100%;height:26px;overflow:visible}
.forest .scale{height:20px;position:relative;font-size:.75rem;color:var(--soft)}
.forest .scale span{position:absolute;transform:translateX(-50%);white-space:nowrap}
.forest .truth{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:3 2}
.forest .whisker{stroke:var(--w1);stroke-width:2}.forest .naive .whisker{stroke:var(--w2)}
.forest circle{fill:var(--w1)}.forest .naive rect{fill:var(--w2)}
.shares{display:flex;height:1.1rem;border-radius:4px;overflow:hidden;max-width:46rem;margin:.6rem 0}
.shares span{display:block}
.cited{background:var(--w3)}.curated{background:var(--w4)}.recalled{background:var(--w5)}.assumed{background:var(--line)}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;vertical-align:-.05em}
@media (max-width:34rem){body{padding:1rem .8rem 3rem}h1{font-size:1.45rem}table{font-size:.82rem}
.wide tbody th{min-width:9rem}
.forest,.forest tbody{display:block}.forest tr{display:grid;grid-template-columns:1fr auto;padding:.2rem 0}
.forest th:first-child,.forest .plot{width:auto}.forest .plot{grid-row:2;grid-column:1/-1;padding:0}
.forest td:last-child{text-align:right;padding:0;max-width:11rem}.forest svg{overflow:hidden}
.card{padding:.1rem .7rem .6rem}}
@media print{body{max-width:none;font-size:10pt}h2{break-after:avoid}nav{display:none}.panels{
grid-template-columns:repeat(3,1fr)}.wide{overflow:visible}a{color:inherit}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
""" + "".join(
    f".w{n} .curve,.w{n} .mark{{stroke:var(--w{n})}}.w{n} .band,.w{n} .dot{{fill:var(--w{n})}}"
    f".w{n} .curve{{stroke-dasharray:{dash}}}\n"
    for n, dash in enumerate(("none", "7 3", "2 3", "9 3 2 3", "4 2", "1 2", "12 4", "6 2 1 2 1 2"))
)
