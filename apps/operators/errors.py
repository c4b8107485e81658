"""What operators are told when something about operators is refused."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import GatehouseError


class LastAdministrator(GatehouseError):
    """Nobody could undo it: there would be no administrator left to do so."""

    status = 409
    type = "last_administrator"
    message = _("This is the last administrator. Make another one first.")


class ChangedSince(GatehouseError):
    """Undoing it would lose what somebody has set since."""

    status = 409
    type = "changed_since"
    message = _("This has been changed since, and is not undone. See the events after it.")


class UselessLink(GatehouseError):
    """A link from a mail that was used, withdrawn or replaced, has expired, or never was: one answer for all."""

    status = 410
    type = "useless_link"
    message = _("This link is of no use any more. It was used, withdrawn or has expired. Ask for another one.")


class NotOneself(GatehouseError):
    """Somebody else must look into it: else a stolen session could take the second factor away."""

    status = 409
    type = "not_oneself"
    message = _("Nobody resets their own second factor. Ask another administrator.")


class NoAddress(GatehouseError):
    """There is nowhere to send a mail to."""

    status = 409
    type = "no_address"
    message = _("This operator has no address for mail. Give one first.")


class NotSignedInByProvider(GatehouseError):
    """The provider does not answer, its answer does not hold, or it is of nobody who may come in: one answer for all."""

    status = 403
    type = "not_signed_in_by_provider"
    message = _("Signing in this way did not work. Try again, or ask another administrator whether you were invited.")
