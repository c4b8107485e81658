"""Why was this user refused? What happened to an address, in order, and what would happen now, rule by rule."""
