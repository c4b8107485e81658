"""Every way into an account and back into it: code, password, passkey, second factor, sign-up, recovery."""
