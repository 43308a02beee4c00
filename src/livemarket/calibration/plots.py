"""Small plots as SVG, drawn by hand: bars beside bands, and curves."""

from __future__ import annotations

from html import escape

from livemarket.calibration.measures import Row

WIDTH, LEFT, LINE = 760, 300, 26


def _svg(height: int, body: str, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>{body}</svg>\n'
    )


def bands(rows: list[Row]) -> str:
    """Every figure in units of the published band: the band is grey, the dot is the simulation."""
    parts: list[str] = []
    for n, row in enumerate(rows):
        y = 20 + n * LINE
        span = row.high - row.low or 1.0
        place = max(-0.75, min(1.75, (row.value - row.low) / span))
        x = LEFT + 130 + place * 180
        colour = "#1a7f37" if row.inside else "#b42318"
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(row.name)}</text>'
            f'<rect x="{LEFT + 130}" y="{y - 8}" width="180" height="16" fill="#d8dee4"/>'
            f'<circle cx="{x:.1f}" cy="{y}" r="6" fill="{colour}"/>'
            f'<text x="{LEFT + 330}" y="{y + 4}">{row.simulated} ({escape(row.published)})</text>'
        )
    return _svg(20 + LINE * len(rows), "".join(parts), "simulated beside published (simulated data)")


def curve(values: list[float], title: str, across: str) -> str:
    """One line from left to right."""
    top = max([*values, 1e-9])
    step = (WIDTH - 100) / max(len(values) - 1, 1)
    points = " ".join(f"{60 + n * step:.1f},{190 - 150 * value / top:.1f}" for n, value in enumerate(values))
    body = (
        f'<polyline points="{points}" fill="none" stroke="#0b5cad" stroke-width="2"/>'
        f'<line x1="60" y1="190" x2="{WIDTH - 40}" y2="190" stroke="#57606a"/>'
        f'<text x="60" y="20">{escape(title)} (simulated)</text>'
        f'<text x="{WIDTH - 40}" y="210" text-anchor="end">{escape(across)}</text>'
        f'<text x="54" y="44" text-anchor="end">{top:.3g}</text><text x="54" y="194" text-anchor="end">0</text>'
    )
    return _svg(220, body, title)
