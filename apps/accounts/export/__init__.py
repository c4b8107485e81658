"""All that is held about a user, for the user to see: `sections` lists it, and each other file shows what one room holds."""
