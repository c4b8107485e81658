"""The operators' site: sign-in with a second factor, the overview, who the operators are. The rooms' own pages are in the rooms."""
