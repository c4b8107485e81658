"""The hosted sign-in: a page for each step, as the customer's policy allows, until the user is sent back to where they came from."""
