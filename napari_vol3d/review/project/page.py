"""The report's page: one HTML file that needs no script, no network and no font; light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

Cell = str | tuple[str, str]  # a text, or one with a dot of a colour before it: ("#rrggbb", text)

# Nothing may be fetched, whatever a name of a class or a case holds.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2430; --soft: #5b6675; --grid: #d9dee5; --accent: #0072b2;
  --tile: #f4f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15191f; --ink: #e4e8ee; --soft: #9aa5b4; --grid: #343c47; --accent: #56b4e9; --tile: #1e242c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 0.4rem; padding-top: 0.75rem; border-top: 1px solid var(--grid); }
p { margin: 0.3rem 0 0.8rem; max-width: 46rem; }
.soft, figcaption, caption { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.75rem; margin: 1.5rem 0; }
.tile { background: var(--tile); border-radius: 8px; padding: 0.8rem 1rem; }
.tile b { display: block; font-size: 1.6rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 0.86rem; }
.side { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem 2rem;
  align-items: start; }
.side.small { grid-template-columns: repeat(auto-fill, minmax(14.5rem, 1fr)); }
figure { margin: 0.5rem 0; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figure svg.slice { background: #000; border-radius: 6px; aspect-ratio: 1; }
figcaption { font-size: 0.86rem; margin-top: 0.35rem; }
path.accepted, path.predicted { fill: none; stroke-width: 1.8px; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
path.predicted { stroke-dasharray: 4 3; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--grid);
  white-space: nowrap; }
th, td { padding: 0.3rem 0.9rem 0.3rem 0; }
td { border-bottom: 1px solid var(--grid); overflow-wrap: break-word; }
td.n, th.n { text-align: right; }
td.n { white-space: nowrap; }
tr { break-inside: avoid; }
i.dot { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%; margin-right: 0.45em; }
footer { margin-top: 3rem; padding-top: 0.75rem; border-top: 1px solid var(--grid); color: var(--soft);
  font-size: 0.86rem; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --grid: #bbb; --accent: #0072b2; --tile: #f2f2f2; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  .side { grid-template-columns: 1fr 1fr; } .side.small { grid-template-columns: 1fr 1fr 1fr; }
  .tile, svg.slice { print-color-adjust: exact; -webkit-print-color-adjust: exact; } h2 { break-after: avoid; }
  table { font-size: 8pt; } th { white-space: normal; vertical-align: bottom; } th, td { padding-right: 0.6rem; }
  .wide { overflow: visible; } thead { display: table-header-group; }
}
"""


def page(title: str, subtitle: str, body: Iterable[str], footer: str) -> str:
    """Put a page together; `body` is HTML, the rest text."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<header><h1>{escape(title)}</h1>\n<p class="soft">{escape(subtitle)}</p></header>\n'
        + "\n".join(part for part in body if part)
        + f"\n<footer>{escape(footer)}</footer>\n</main>\n</body>\n</html>\n"
    )


def section(title: str, lead: str, *parts: str) -> str:
    """Give a part of the page; `lead` is a sentence that says what is to be seen."""
    return f"<section>\n<h2>{escape(title)}</h2>\n<p>{escape(lead)}</p>\n" + "\n".join(parts) + "\n</section>"


def tiles(numbers: Iterable[tuple[str, str]]) -> str:
    """Give headline numbers, each with what it counts."""
    inner = "".join(
        f'<div class="tile"><b>{escape(number)}</b><span>{escape(what)}</span></div>' for number, what in numbers
    )
    return f'<div class="tiles">{inner}</div>'


def figure(drawn: str, caption: str) -> str:
    """Give a plot or a picture with its caption."""
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def side_by_side(*figures: str) -> str:
    """Give figures beside each other where there is room."""
    return '<div class="side">' + "\n".join(figures) + "</div>"


def gallery(figures: Iterable[str]) -> str:
    """Give small figures, as many beside each other as there is room for."""
    return '<div class="side small">' + "\n".join(figures) + "</div>"


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, numbers: frozenset[int] = frozenset()) -> str:
    """Give a table; the columns in `numbers` stand at the right."""
    kinds = [' class="n"' if place in numbers else "" for place in range(len(heads))]
    top = "".join(f"<th{kind}>{escape(head)}</th>" for head, kind in zip(heads, kinds, strict=True))
    lines = (
        "<tr>" + "".join(f"<td{kind}>{_cell(cell)}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    body = "\n".join(lines)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    color, text = (escape(part, quote=True) for part in cell)
    return f'<i class="dot" style="background:{color}"></i>{text}'
