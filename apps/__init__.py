"""The rooms of the house. A room imports only rooms below it; see CONTRIBUTING.md."""
