"""Second factors: TOTP, passkeys, SMS numbers and recovery codes; enrolled, checked, removed."""
