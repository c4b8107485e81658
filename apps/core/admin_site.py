"""The operators' site."""

from unfold.sites import UnfoldAdminSite


class OperatorSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    site_header = "Gatehouse"
    site_title = "Gatehouse"
    index_title = "Overview"
