"""Bars, drawn on the server as SVG: two series side by side, hour by hour or day by day. A table says the same in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

HEIGHT, STEP, BAR = 100, 20, 8  # units of the drawing, which is stretched to the width of the page
ROUND = (1, 2, 5, 10)


@dataclass(frozen=True)
class Bar:
    """A rectangle of the drawing. `series`: 0 or 1."""

    x: float
    y: float
    height: float
    series: int

    width = BAR


@dataclass(frozen=True)
class Cell:
    """A number of the table, and the address of the rows it counts, if there are any."""

    value: int
    url: str


@dataclass(frozen=True)
class Row:
    """A step of the plot."""

    begins: datetime
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Plot:
    """`names`: of the two series. `ceiling`: the number at the top of the drawing."""

    slug: str
    title: str
    names: tuple[str, str]
    rows: Sequence[Row]
    is_hourly: bool

    @property
    def ceiling(self) -> int:
        return rounded_up(max((cell.value for row in self.rows for cell in row.cells), default=0))

    @property
    def bars(self) -> list[Bar]:
        """What is more than nothing is seen."""
        unit = HEIGHT / self.ceiling
        found = []
        for number, row in enumerate(self.rows):
            for series, cell in enumerate(row.cells):
                height = max(cell.value * unit, 1.0) if cell.value else 0.0
                x = number * STEP + series * (BAR + 1) + 1
                found.append(Bar(x, round(HEIGHT - height, 2), round(height, 2), series))
        return [bar for bar in found if bar.height]

    @property
    def width(self) -> int:
        return max(len(self.rows), 1) * STEP

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def is_empty(self) -> bool:
        return not any(cell.value for row in self.rows for cell in row.cells)


def rounded_up(value: int) -> int:
    """The next number that one can read off an axis: 1, 2, 5, 10, 20, 50, …"""
    power = 1
    while value > power * 10:
        power *= 10
    return next(step * power for step in ROUND if step * power >= value)
