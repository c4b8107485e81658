"""What `make demo` writes for the examples, and that it may be run again."""

import json

from django.core.management import call_command
from django.utils import timezone

from apps.api_keys import keys
from apps.api_keys import lifecycle as api_keys
from apps.api_keys.models import ApiKey
from apps.oauth.models import RegisteredClient
from demo import for_examples
from demo.management.commands import seed_demo
from tests import factories
from tests.examples.serving import EXAMPLES, Demo


def seeded_again(demo: Demo) -> dict[str, str]:
    call_command(seed_demo.Command())
    facts: dict[str, str] = json.loads(demo.file.read_text())
    return facts


def test_the_demo_may_be_seeded_again_and_keeps_what_a_visitor_has_added(demo: Demo) -> None:
    before = demo.facts
    demo.allow("https://visitor.example")
    assert seeded_again(demo) == before
    assert demo.file.stat().st_mode & 0o777 == 0o600
    origins = demo.customer.allowed_origins
    assert "https://visitor.example" in origins
    assert sorted(set(origins)) == sorted(origins), "none twice"


def test_what_works_no_more_is_made_anew(demo: Demo) -> None:
    before = demo.facts
    made = ("introspection_key", "oauth_public_client_id", "oauth_client_id", "oauth_client_secret")
    key = keys.parse(before["introspection_key"])
    assert key is not None
    api_keys.revoke(ApiKey.objects.get(key_id=key.key_id), context=factories.context())
    RegisteredClient.objects.filter(id=before["oauth_public_client_id"]).update(disabled_at=timezone.now())
    RegisteredClient.objects.get(id=before["oauth_client_id"]).delete()
    after = seeded_again(demo)
    assert {name for name in before if before[name] != after[name]} == set(made)
    assert seeded_again(demo) == after


def test_pages_run_where_their_readme_says_and_the_demo_lists_their_origin(demo: Demo) -> None:
    for name, port in for_examples.PAGES.items():
        assert f"http://localhost:{port}" in demo.customer.allowed_origins
        assert f"http://localhost:{port}" in (EXAMPLES / name / "README.md").read_text(), name
