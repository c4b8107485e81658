"""An account's life: registration, sign-up, verification, recovery, changes, import, export, deactivation, erasure."""
