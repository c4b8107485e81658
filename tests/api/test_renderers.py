"""How answers become bytes."""

import json
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
