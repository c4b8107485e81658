"""All that is kept about the user, as a file."""

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from apps.accounts.export import download, sections
from apps.portal.account.page import AccountPage


class ExportPage(AccountPage):
    """A POST, since it is noted among the account's events."""

    template = "portal/account/export.html"
    heading = _("Your data")
    lead = _("A file with all that is kept about you here: account, devices, factors, mails, and what has happened.")

    def post(self, request: HttpRequest) -> HttpResponseBase:
        sections.note_export(self.user, section="", context=self.context)
        response = StreamingHttpResponse(download.document(self.user), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{self.file_name}"'
        return self.protect(response)

    @property
    def file_name(self) -> str:
        return f"account-{self.context.now:%Y-%m-%d}.json"
