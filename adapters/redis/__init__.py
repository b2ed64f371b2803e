"""Redis: THE key schema and the live state behind its port. The only code that imports redis."""
