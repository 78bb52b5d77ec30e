"""SVG: the few shapes that the plot is drawn with, as text."""

from collections.abc import Iterable
from html import escape

INK, FAINT, GRID = "#1c2330", "#667085", "#e7eaef"

Dot = tuple[float, float]


def document(width: int, height: int, elements: Iterable[str]) -> str:
    """Return a whole document with a white background."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Inter, system-ui, Segoe UI, Helvetica, Arial, sans-serif" font-size="12">'
    )
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *elements, "</svg>\n"])


def text(  # noqa: PLR0913 - a text's own properties
    at: Dot, words: str, *, size: float = 12, weight: int = 400, colour: str = INK, anchor: str = "start"
) -> str:
    """Return one line of text whose base line begins at a point."""
    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}"'
    look = f'font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place} {look}>{escape(words)}</text>"


def rule(start: Dot, end: Dot, colour: str = GRID, *, dashes: str = "none") -> str:
    """Return a thin straight line."""
    places = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {places} stroke="{colour}" stroke-dasharray="{dashes}"/>'


def curve(dots: Iterable[Dot], colour: str) -> list[str]:
    """Return a line through the points, each of them marked."""
    places = [f"{x:.1f},{y:.1f}" for x, y in dots]
    marks = (place.split(",") for place in places)
    look = f'fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"'
    return [
        f'<polyline points="{" ".join(places)}" {look}/>',
        *(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}" stroke="#fff"/>' for x, y in marks),
    ]
