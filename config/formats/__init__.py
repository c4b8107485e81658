"""How the admin writes times: so that they sort and need no guessing, in UTC."""
