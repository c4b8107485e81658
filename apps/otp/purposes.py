"""What a code can be for. A code of one purpose is worthless for another."""

LOGIN = "login"
VERIFY_EMAIL = "verify_email"
CHANGE_EMAIL = "change_email"
REAUTHENTICATE_EMAIL = "reauthenticate:email"
REAUTHENTICATE_SMS = "reauthenticate:sms"
SECOND_FACTOR_EMAIL = "second_factor:email"
SECOND_FACTOR_SMS = "second_factor:sms"
ENROL_PHONE = "enrol_phone"

# Codes for somebody who has given a first factor. Wrong ones are counted apart from those that any stranger can give.
AFTER_A_FIRST_FACTOR = {SECOND_FACTOR_EMAIL, SECOND_FACTOR_SMS, ENROL_PHONE}

# Codes for somebody who is signed in. Wrong ones are counted for the session alone (`tokens.fresh_proof`).
IN_A_SESSION = {REAUTHENTICATE_EMAIL, REAUTHENTICATE_SMS, CHANGE_EMAIL}

# Codes that anybody may ask for, with the mail that carries them.
MAILS = {LOGIN: "sign_in_code", VERIFY_EMAIL: "verify_email_code"}
