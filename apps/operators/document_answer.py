"""A user's document as an operator's browser gets it: streamed, kept nowhere, in a sandbox where nothing of it can run."""

import mimetypes
from pathlib import PurePath

from django.contrib.auth.models import User as Operator
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.approvals.documents import OpenDocument
from apps.files.models import UserFile
from apps.operators.context import operator_of

# What browsers show without running anything of it. All else is saved.
SHOWN = {"application/pdf", "image/jpeg", "image/png", "image/webp"}
NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'"
SANDBOX = f"sandbox; {NOTHING_RUNS}"
PDF = "application/pdf"  # in a sandbox, Chromium's viewer, which has an origin of its own, shows an empty page


def show(opened: OpenDocument, *, as_attachment: bool = False) -> StreamingHttpResponse:
    """The document, in the window if it is of a kind that browsers only show."""
    file = opened.file
    is_saved = as_attachment or file.media_type not in SHOWN
    return StreamingHttpResponse(
        opened.content,
        content_type=file.media_type,
        headers={
            "Content-Length": str(file.size),
            "Content-Disposition": content_disposition_header(is_saved, _name_of(file)) or "attachment",
            "Content-Security-Policy": NOTHING_RUNS if file.media_type == PDF else SANDBOX,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store, private",
        },
    )


def require_still_operator(request: HttpRequest) -> None:
    """Raises PermissionDenied if the operator has been locked out meanwhile."""
    if not Operator.objects.filter(pk=operator_of(request).pk, is_active=True, is_staff=True).exists():
        raise PermissionDenied


def _name_of(file: UserFile) -> str:
    """With the ending of what the content is: else a picture called page.html would open as a page once it is saved."""
    name = PurePath(file.name.replace("\\", "/")).name or "document"
    if mimetypes.guess_type(name)[0] == file.media_type:
        return name
    return name + (mimetypes.guess_extension(file.media_type) or ".bin")
