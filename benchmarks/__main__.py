"""`make bench`: prints the table of ratios."""

import platform
import sys
from dataclasses import dataclass

HEADER = ("what", "compared with", "ratio", "spread")
WIDTHS = (44, 32, 8, 14)


@dataclass(frozen=True)
class Ratio:
    """How often faster `what` is than `compared_with`: the median of the runs, and the least and the most."""

    what: str
    compared_with: str
    median: float
    least: float
    most: float

    def cells(self) -> tuple[str, ...]:
        return self.what, self.compared_with, f"{self.median:.2f}", f"{self.least:.2f}-{self.most:.2f}"


def main() -> int:
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}")
    _show(measure())
    return 0


def measure() -> list[Ratio]:
    """Every benchmark there is. None is written yet: issue 1 asks for the table alone."""
    return []


def _show(ratios: list[Ratio]) -> None:
    for cells in (HEADER, tuple("-" * (width - 2) for width in WIDTHS), *(ratio.cells() for ratio in ratios)):
        print("".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip())
    if not ratios:
        print("(no benchmark exists yet: nothing was measured)")


if __name__ == "__main__":
    sys.exit(main())
