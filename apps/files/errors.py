"""Why a file is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class FileTooLarge(GatehouseError):
    status = 413
    type = "file_too_large"
    message = _("This file is too large.")


class FileQuotaExceeded(GatehouseError):
    """`limit` says which: the bytes of the customer's files together, or the number of the user's."""

    status = 429
    type = "quota_exceeded"
    message = _("There is no more room for files. Delete some first.")


class FileTypeNotAllowed(GatehouseError):
    """By what the content is, whatever the name says."""

    status = 415
    type = "file_type_not_allowed"
    message = _("Files of this kind are not accepted.")


class FileSizeMismatch(GatehouseError):
    type = "file_size_mismatch"
    message = _("The content has not as many bytes as were announced.")


class UploadSuperseded(GatehouseError):
    """Two uploads of one file at once: the first that ends counts."""

    status = 409
    type = "upload_superseded"
    message = _("This file was uploaded at the same time from elsewhere.")


class UploadTooSlow(GatehouseError):
    status = 408
    type = "upload_too_slow"
    message = _("The upload took too long. Please try again with a better connection.")


class FileFixed(GatehouseError):
    """An operator has opened this identity document: it must stay what the operator saw."""

    status = 409
    type = "file_fixed"
    message = _("This document is being checked and cannot be replaced. Upload another one.")
