"""The pages of operators as people see them: by axe, wide and on a phone, light and dark; German words fit, too."""

import pytest

from apps.operators.models import RoleName
from tests import browser, factories
from tests.operators import looking
from tests.operators.limiting import with_role
from tests.operators.signing_in import operator

pytestmark = pytest.mark.django_db(transaction=True)
# A slow machine makes what unfold makes of a choice after the page has loaded.
MADE_LATE = "() => { django.jQuery('#id_customers').select2('destroy').djangoAdminSelect2() }"


@pytest.mark.parametrize("locale", ["en", "de"])
def test_role_and_limits_are_read_and_chosen(live_server: object, locale: str) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    operator()
    who = with_role(RoleName.SUPPORT, factories.customer(name="Acme"), name="clerk@example.com")
    factories.customer(name="Umbrella")
    wrong = looking.faults if locale == "en" else looking.misfits
    with browser.kept_page(locale) as page:
        looking.enter(page, url, "/admin/auth/user/")
        found = wrong(page, f"operators-{locale}", within="#result_list")
        page.goto(f"{url}/admin/auth/user/{who.pk}/change/")
        page.locator(".select2-search__field").wait_for()
        found += wrong(page, f"operator-{locale}", within="fieldset:has(.field-role)")
        page.evaluate(MADE_LATE)
        found += wrong(page, f"operator-made-late-{locale}", within="fieldset:has(.field-role)")
        assert found == []
        page.locator("input[name=role][value=auditor]").check()
        with page.expect_response(lambda answer: "term=Umb" in answer.url):  # a list of before it has the name, too
            page.locator(".select2-search__field").fill("Umb")
        page.locator(".select2-results__option--highlighted", has_text="Umbrella").click()
        with browser.next_page(page):
            page.locator("[name=_save]").click()
        page.wait_for_url("**/admin/auth/user/")
        assert "Acme, Umbrella" in page.locator("#result_list").inner_text()
