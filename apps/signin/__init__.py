"""The ways in: code, password, passkey, second factor, challenges, fresh proof."""
