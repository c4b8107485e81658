"""A user's document as an operator's browser gets it: streamed, kept nowhere, in a sandbox where nothing of it can run."""

import mimetypes
from pathlib import PurePath

from django.contrib.auth.models import User as Operator
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.approvals.documents import OpenDocument
from apps.files.models import UserFile
from apps.operators.context import operator_of

# What browsers show without running anything of it. All else is saved.
SHOWN = {"application/pdf", "image/jpeg", "image/png", "image/webp"}
NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'"
SHOWN_BESIDE = "default-src 'none'; frame-ancestors 'self'"
BESIDE = "beside"  # in the query: for the pane of our own page, and no other page
PDF = "application/pdf"  # in a sandbox, Chromium's viewer, which has an origin of its own, shows an empty page


def show(opened: OpenDocument, *, as_attachment: bool = False, is_beside: bool = False) -> StreamingHttpResponse:
    """The document, in the window if it is of a kind that browsers only show. `is_beside`: in a pane of our page."""
    file = opened.file
    is_saved = as_attachment or file.media_type not in SHOWN
    return StreamingHttpResponse(
        opened.content,
        content_type=file.media_type,
        headers={
            "Content-Length": str(file.size),
            "Content-Disposition": content_disposition_header(is_saved, _name_of(file)) or "attachment",
            "Content-Security-Policy": _policy(file, is_beside=is_beside),
            "X-Frame-Options": "SAMEORIGIN" if is_beside else "DENY",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store, private",
        },
    )


def _policy(file: UserFile, *, is_beside: bool) -> str:
    policy = SHOWN_BESIDE if is_beside else NOTHING_RUNS
    return policy if file.media_type == PDF else f"sandbox; {policy}"


def require_still_allowed(request: HttpRequest, permission: str, row: Model) -> None:
    """Raises PermissionDenied if the operator has been locked out meanwhile, or has lost this role or this customer."""
    operator = Operator.objects.filter(pk=operator_of(request).pk, is_active=True, is_staff=True).first()
    if operator is None or not operator.has_perm(permission, row):
        raise PermissionDenied


def _name_of(file: UserFile) -> str:
    """With the ending of what the content is: else a picture called page.html would open as a page once it is saved."""
    name = PurePath(file.name.replace("\\", "/")).name or "document"
    if mimetypes.guess_type(name)[0] == file.media_type:
        return name
    return name + (mimetypes.guess_extension(file.media_type) or ".bin")
