"""What operators read of each action: one sentence each. `{actor}` acts; `{account}` is the account that it happened to."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.audit import actions

Texts = Mapping[str, Promise]

OF_CUSTOMERS: Texts = {
    actions.CUSTOMER_CREATED: _("{actor} created the customer {customer}"),
    actions.CUSTOMER_SUSPENDED: _("{actor} suspended {customer}"),
    actions.CUSTOMER_REACTIVATED: _("{actor} reactivated {customer}"),
    actions.CUSTOMER_DELETION_STARTED: _("{actor} began to delete the customer {name}"),
    actions.CUSTOMER_DELETED: _("The customer {name} is deleted, with everything of it; {actor} had asked for it"),
    actions.POLICY_CHANGED: _("{actor} changed the policy of {customer}"),
    actions.ALLOWLIST_CHANGED: _("{actor} changed the IP allowlist of {customer}"),
    actions.SECRETS_ROTATED: _("{actor} rotated the secrets of {customer} ({mode})"),
    actions.SERVICE_KEY_ROTATED: _("{actor} rotated the service key"),
    actions.API_KEY_CREATED: _("{actor} created the API key {key_id} of {customer}"),
    actions.API_KEY_ROTATED: _("{actor} replaced the API key {key_id} of {customer} by {successor}"),
    actions.API_KEY_REVOKED: _("{actor} revoked the API key {key_id} of {customer}"),
    actions.ADDRESS_REFUSED: _("The API key {key_id} of {customer} was used from outside its allowlist, and refused"),
}

OF_CLIENTS: Texts = {
    actions.OAUTH_CLIENT_CREATED: _("{actor} registered the OAuth client {name} of {customer}"),
    actions.OAUTH_CLIENT_CHANGED: _("{actor} changed the OAuth client {name} of {customer}"),
    actions.OAUTH_CLIENT_SECRET_ROTATED: _("{actor} gave the OAuth client {name} of {customer} a new secret"),
    actions.OAUTH_CLIENT_DISABLED: _("{actor} disabled the OAuth client {name} of {customer}"),
    actions.OAUTH_CLIENT_ENABLED: _("{actor} enabled the OAuth client {name} of {customer}"),
    actions.OAUTH_CLIENT_DELETED: _("{actor} deleted the OAuth client {name} of {customer}"),
    actions.OAUTH_CLIENT_REJECTED: _("The OAuth client {client} of {customer} could not be authenticated"),
    actions.AUTHORIZATION_GRANTED: _("{actor} was sent back signed in to the OAuth client {client}"),
    actions.AUTHORIZATION_REDEEMED: _("The OAuth client {client} exchanged its code for tokens of {user}"),
    actions.AUTHORIZATION_REJECTED: _("The OAuth client {client} was refused: its code for {user} did not fit"),
    actions.AUTHORIZATION_REUSED: _(
        "A code for {user} came a second time from the OAuth client {client}: its session ended"
    ),
}

OF_REFUSALS: Texts = {
    actions.REFUSED: _("{step} ({actor}): {rule}"),
    actions.REFUSALS_LEFT_OUT: _("A flood: {count} more refusals were only counted"),
    actions.CODE_REJECTED: _("A code for {account} was refused: {rule}"),
    actions.CODE_GUESSING: _("Codes of the users of {customer} are being guessed"),
    actions.PASSWORD_REJECTED: _("A password for {account} was refused: {rule}"),
    actions.PASSWORD_LOCKED: _("The password of {account} was locked after too many wrong ones"),
    actions.PASSWORD_RESET_REJECTED: _("A link to reset a password was refused: {rule}"),
    actions.SECOND_FACTOR_REJECTED: _("A second factor for {account} was refused: {rule}"),
    actions.PASSKEY_REJECTED: _("A passkey for {account} was refused: {rule}"),
    actions.REAUTHENTICATION_REJECTED: _("A fresh proof for {account} was refused: {rule}"),
    actions.EMAIL_CHANGE_UNDO_REJECTED: _("A link to undo a change of address was refused: {rule}"),
    actions.SIGNATURE_FAILED: _("A token with a wrong signature was refused"),
    actions.EXPIRED_TOKEN_REPLAYED: _("An expired token was sent again, and refused"),
    actions.REFRESH_TOKEN_REUSED: _("A refresh token of {user} came a second time: its session ended"),
    actions.PASSKEY_CLONED: _("A passkey of {user} may have been cloned: its counter did not go up"),
    actions.ROLE_ESCALATION_ATTEMPT: _("{actor} presented a token that claims more rights than {user} has"),
}

OF_ACCOUNTS: Texts = {
    actions.USER_CREATED: _("{actor} created {account}"),
    actions.USER_CHANGED: _("{actor} changed {account}"),
    actions.USER_DEACTIVATED: _("{actor} deactivated {account}"),
    actions.USER_REACTIVATED: _("{actor} reactivated {account}"),
    actions.WRONG_CODES_CLEARED: _("{actor} opened {account} to codes again"),
    actions.USER_REGISTERED: _("{actor} registered at {customer}"),
    actions.USER_APPROVED: _("{actor} approved {account}"),
    actions.USER_REJECTED: _("{actor} rejected {account}"),
    actions.USERS_IMPORTED: _("{actor} imported {count} users into {customer}"),
    actions.USER_ERASED: _("{actor} erased {account}"),
    actions.USER_EXPORTED: _("{actor} exported the data of {account}"),
    actions.EMAIL_VERIFIED: _("{actor} proved the address of {account}"),
    actions.EMAIL_CHANGE_REQUESTED: _("{actor} asked to change the address of {account}"),
    actions.EMAIL_CHANGED: _("{actor} changed the address of {account}"),
    actions.EMAIL_CHANGE_UNDONE: _("{actor} undid a change of the address of {account}"),
    actions.PROFILE_CHANGED: _("{actor} changed the profile of {account}"),
    actions.ROLE_CHANGED: _("{actor} changed the role {role} of {customer} ({what})"),
    actions.PERMISSION_CHANGED: _("{actor} changed the permission {permission} of {customer} ({what})"),
    actions.IDENTITY_CHECK_ASKED: _("The identity check of {customer} was asked about {account}"),
    actions.FILE_UPLOADED: _("{actor} uploaded the file {file} ({purpose})"),
    actions.FILE_OPENED: _("{actor} opened the file {file} of {account}"),
    actions.FILE_DELETED: _("{actor} deleted the file {file} of {account}"),
    actions.MAIL_RESENT: _("{actor} sent the message {message} again"),
    actions.TEST_MAIL_SENT: _("{actor} sent a test mail of {customer}"),
}

OF_SIGN_IN: Texts = {
    actions.CODE_REQUESTED: _("{actor} asked for a code for {account} ({purpose})"),
    actions.FIXED_CODE_USED: _("{actor} signed in by a fixed code"),
    actions.SIGN_IN: _("{actor} signed in ({method})"),
    actions.REAUTHENTICATED: _("{actor} proved afresh who they are ({method})"),
    actions.REAUTHENTICATION_ASKED: _("{actor} was sent a code to prove afresh who they are"),
    actions.PASSWORD_CHANGED: _("{actor} changed the password of {account}"),
    actions.PASSWORD_RESET_REQUESTED: _("{actor} asked to reset the password of {account}"),
    actions.PASSWORD_RESET: _("{actor} reset the password of {account}"),
    actions.SECOND_FACTOR_ASKED: _("{actor} was asked for a second factor"),
    actions.SECOND_FACTOR_SENT: _("{actor} was sent a code as a second factor ({method})"),
    actions.FACTOR_ENROLLED: _("{actor} enrolled a second factor ({factor})"),
    actions.FACTOR_RENAMED: _("{actor} renamed a second factor of {account} ({factor})"),
    actions.FACTOR_REMOVED: _("{actor} removed a second factor of {account} ({factor})"),
    actions.RECOVERY_CODES_MADE: _("{actor} made new recovery codes"),
    actions.RECOVERY_CODE_USED: _("{actor} used a recovery code; {left} are left"),
    actions.NEW_DEVICE: _("{actor} signed in from a new device ({device})"),
    actions.NEW_COUNTRY: _("{actor} signed in from a new country ({country})"),
    actions.MANY_NETWORKS: _("The account of {user} was used from {networks} networks within {minutes} minutes"),
    actions.DEVICE_REMEMBERED: _("{actor} let a device be remembered ({device})"),
    actions.DEVICES_FORGOTTEN: _("{actor} made remembered devices of {account} be forgotten"),
    actions.TOKEN_REFRESHED: _("{actor} refreshed a session"),
    actions.TOKEN_REVOKED: _("{actor} revoked a token of {account}"),
    actions.LOGOUT: _("{actor} signed out"),
    actions.SESSION_ENDED: _("{actor} ended sessions of {account} ({reason})"),
}

OF_OPERATORS: Texts = {
    actions.OPERATOR_SIGNED_IN: _("{actor} signed in to the admin"),
    actions.OPERATOR_SIGN_IN_FAILED: _("Somebody failed to sign in to the admin as {actor}"),
    actions.OPERATOR_SIGNED_OUT: _("{actor} signed out of the admin"),
    actions.OPERATOR_GUESSING: _("The {what} of the operator {actor} is being guessed"),
    actions.OPERATOR_PROVEN: _("{actor} proved who they are once more ({by}), for a grave change"),
    actions.OPERATOR_PROOF_REJECTED: _("{actor} failed to prove who they are for a grave change ({by})"),
    actions.CHANGE_UNDONE: _("{actor} undid a change ({action}, event {event})"),
    actions.OPERATOR_SECOND_FACTOR_CHANGED: _("{actor} changed their second factor ({what})"),
    actions.OPERATOR_SESSIONS_ENDED: _("{actor} ended sessions of their own in the admin ({count})"),
    actions.OPERATOR_INVITED: _("{actor} invited the operator {name}"),
    actions.OPERATOR_INVITATION_WITHDRAWN: _("{actor} withdrew the invitation of the operator {name}"),
    actions.OPERATOR_INVITATION_ACCEPTED: _("{actor} accepted the invitation to the admin"),
    actions.OPERATOR_PASSWORD_RESET_REQUESTED: _(
        "Somebody asked for a link for a new password of the operator {actor}"
    ),
    actions.OPERATOR_LINK_SENT: _("{actor} sent the operator {name} a link for a new password"),
    actions.OPERATOR_PASSWORD_RESET: _("{actor} set a new password for the admin by a link"),
    actions.OPERATOR_LINK_REJECTED: _("Somebody tried a useless link of an operator"),
    actions.OPERATOR_FACTORS_RESET: _("{actor} reset the second factor of the operator {name}: {why}"),
    actions.OPERATOR_PASSKEY_CLONED: _("A passkey of the operator {actor} was refused: there may be a copy of it"),
    actions.OPERATOR_IDENTITY_BOUND: _("{actor} signed in to the admin by {issuer} for the first time"),
    actions.OPERATOR_ADDED: _("{actor} added the operator {name}"),
    actions.OPERATOR_CHANGED: _("{actor} changed the operator {name}"),
    actions.OPERATOR_DELETED: _("{actor} deleted the operator {name}"),
    actions.ALERT_RAISED: _("An alert was raised: {kind}, {value} of {threshold}"),
    actions.ALERT_ACKNOWLEDGED: _("{actor} acknowledged an alert ({kind})"),
    actions.ALERT_RULE_ADDED: _("{actor} added the alert {name}"),
    actions.ALERT_RULE_CHANGED: _("{actor} changed the alert {name}"),
    actions.ALERT_RULE_DELETED: _("{actor} deleted the alert {name}"),
    actions.AUDIT_EXPORTED: _("{actor} exported audit events ({format})"),
    actions.AUDIT_VERIFICATION_STARTED: _("{actor} had the audit log verified"),
    actions.AUDIT_VERIFIED: _("The audit log was verified: {result}"),
}

SENTENCES: Texts = {
    **OF_CUSTOMERS,
    **OF_CLIENTS,
    **OF_REFUSALS,
    **OF_ACCOUNTS,
    **OF_SIGN_IN,
    **OF_OPERATORS,
}
