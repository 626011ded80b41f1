"""The project template: what it renders, and that what it renders works."""
