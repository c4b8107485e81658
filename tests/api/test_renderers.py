"""How answers become bytes."""

import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy
from rest_framework.utils.encoders import JSONEncoder

from apps.api import renderers
from apps.users.models import UserStatus


def test_documents_are_written_as_drf_writes_them() -> None:
    """Lazy texts, ids, times, and what orjson itself refuses: names that are no texts, and long numbers."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    document = {
        "lazy": gettext_lazy("Your session has expired. Please sign in again."),
        "id": UUID(int=7),
        "times": [moment, moment.date(), moment.time(), timedelta(seconds=1.5)],
        "money": Decimal("1.10"),
        "status": UserStatus.ACTIVE,
        "bytes": b"text",
        "text": '\u00fc \u2028 \U0001f600 "quoted" \\ \0 </script>',
        "numbers": [1, 1.5, True, None],
        "texts": ("a", "b"),
        "rows": {"a": {}}.values(),
    }
    for each in (document, {**document, 7: 7}, {**document, "long": 2**70}):
        assert (
            renderers.as_json(each)
            == json.dumps(each, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()
        )


def test_a_document_that_is_kept_takes_no_more_memory_than_its_text() -> None:
    own = _bytes_taken_by(lambda: renderers.as_json({"id": "1"}))
    kept = _bytes_taken_by(lambda: renderers.to_keep(renderers.as_json({"id": "1"})))
    assert kept < 128
    assert own > 1024, "orjson's own takes as little now, and the copy is needless"


def _bytes_taken_by(make: Callable[[], bytes]) -> float:
    """By one of a hundred documents."""
    tracemalloc.start()
    try:
        made = [make() for _ in range(100)]
        return tracemalloc.get_traced_memory()[0] / len(made)
    finally:
        tracemalloc.stop()
