"""How many bytes a row takes in PostgreSQL, with all its indexes."""

from dataclasses import dataclass
from typing import Any

WORTH_SHOWING = 1000  # rows
SIZES = """
SELECT relname, reltuples::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples >= %s ORDER BY pg_total_relation_size(oid) DESC
"""


@dataclass(frozen=True)
class TableSize:
    """`rows` is PostgreSQL's own estimate; sizes are bytes."""

    name: str
    rows: int
    heap: int
    indexes: int

    @property
    def bytes_a_row(self) -> float:
        return (self.heap + self.indexes) / self.rows

    @property
    def index_bytes_a_row(self) -> float:
        return self.indexes / self.rows


def of_tables(cursor: Any) -> list[TableSize]:
    """The largest first."""
    cursor.execute(SIZES, [WORTH_SHOWING])
    return [TableSize(*row) for row in cursor.fetchall()]


def as_text(cursor: Any) -> str:
    lines = [f"{'table':28}{'rows':>12}{'MiB':>10}{'bytes a row':>14}{'of indexes':>12}"]
    for table in of_tables(cursor):
        size = f"{(table.heap + table.indexes) >> 20:>10,}{table.bytes_a_row:>14.0f}{table.index_bytes_a_row:>12.0f}"
        lines.append(f"{table.name:28}{table.rows:>12,}{size}")
    return "\n".join(lines)
