"""Groups of operators: sets of permissions. Django's own groups, on unfold's pages."""

from django.contrib.auth.admin import GroupAdmin

from apps.audit import actions
from apps.operators.pages.base import Recorded
from apps.operators.pages.operator import SuperusersAlone


class OperatorGroupAdmin(GroupAdmin, SuperusersAlone):
    recorded_as = Recorded(actions.GROUP_ADDED, actions.GROUP_CHANGED, actions.GROUP_DELETED)
