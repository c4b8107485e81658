"""The second factors that can be enrolled, by their names in the API (contract 4)."""

PASSKEY, TOTP, SMS, RECOVERY_CODE = "passkey", "totp", "sms", "recovery_code"
ENROLLABLE = (PASSKEY, TOTP, SMS)
BOTH = (PASSKEY, SMS)  # where a customer demands two: the device and the number
