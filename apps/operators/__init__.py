"""The operators' site: sign-in with a second factor, the overview, who the operators are.; and a page a file."""
