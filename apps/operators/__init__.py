"""The operators' site: sign-in with a second factor, the overview, and a page a file in `pages`."""
