"""What operators do for a user who asks for help."""
