"""Rows of the table, and how they are written: as text, and as Markdown for the documents."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.rounds import Sample, Spread, ratio

HEADER = (
    "what",
    "requests/s",
    "per CPU second",
    "CPU µs",
    "of bare DRF",
    "of bare view",
    "Gatehouse against it",
    "beside it",
)


@dataclass(frozen=True)
class Row:
    """One way that was measured. `beside`: other figures by their names, with their unit in the name."""

    name: str
    title: str
    calls: int = 0
    per_second: Spread | None = None
    per_cpu_second: Spread | None = None
    cpu_us: float | None = None
    of_bare_drf: Spread | None = None
    of_bare_view: Spread | None = None
    gatehouse_against_it: Spread | None = None  # calls per CPU second, too
    beside: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Row":
        spreads = ("per_second", "per_cpu_second", "of_bare_drf", "of_bare_view", "gatehouse_against_it")
        values = {name: Spread(**document[name]) if document[name] else None for name in spreads}
        return cls(**{**document, **values})


def row(
    name: str,
    title: str,
    samples: Sequence[Sample],
    *,
    drf: Sequence[Sample] | None = None,
    view: Sequence[Sample] | None = None,
    ours: Sequence[Sample] | None = None,
    beside: dict[str, float] | None = None,
) -> Row:
    """The row of what was measured in these rounds, against the baselines and Gatehouse's own of the same rounds."""
    per_cpu = Spread.of([one.per_cpu_second for one in samples])
    return Row(
        name=name,
        title=title,
        calls=sum(one.calls for one in samples),
        per_second=Spread.of([one.per_second for one in samples]),
        per_cpu_second=per_cpu,
        cpu_us=1e6 / per_cpu.median,
        of_bare_drf=ratio(samples, drf) if drf else None,
        of_bare_view=ratio(samples, view) if view else None,
        gatehouse_against_it=ratio(ours, samples) if ours else None,
        beside=beside or {},
    )


def cells(one: Row) -> tuple[str, ...]:
    return (
        one.title,
        _rate(one.per_second),
        _rate(one.per_cpu_second),
        _number(one.cpu_us) if one.cpu_us else "",
        _ratio(one.of_bare_drf),
        _ratio(one.of_bare_view),
        _ratio(one.gatehouse_against_it),
        ", ".join(f"{name} {_number(value)}" for name, value in one.beside.items()),
    )


def text(groups: Iterable[tuple[str, Sequence[Row]]]) -> str:
    """For a terminal."""
    written = [(title, [cells(one) for one in rows]) for title, rows in groups]
    every = [HEADER, *(line for _, lines in written for line in lines)]
    widths = [max(len(line[column]) for line in every) for column in range(len(HEADER) - 1)]
    lines = [_aligned(HEADER, widths)]
    for title, rows in written:
        lines += ["", title, *(_aligned(line, widths) for line in rows)]
    return "\n".join(lines)


def markdown(groups: Iterable[tuple[str, Sequence[Row]]]) -> str:
    lines = [_piped(HEADER), _piped(("---", *["---:"] * (len(HEADER) - 2), "---"))]
    for title, rows in groups:
        lines += [_piped((f"**{title}**", *[""] * (len(HEADER) - 1))), *(_piped(cells(one)) for one in rows)]
    return "\n".join(lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *middle = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line[:-1], widths, strict=True))
    )
    return "  ".join([first, *middle, line[-1]]).rstrip()


def _piped(line: Sequence[str]) -> str:
    return f"| {' | '.join(line)} |"


def _rate(spread: Spread | None) -> str:
    return f"{_number(spread.median)} ({_number(spread.least)}–{_number(spread.most)})" if spread else ""  # noqa: RUF001


def _ratio(spread: Spread | None) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f}–{spread.most:.2f})" if spread else ""  # noqa: RUF001


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
