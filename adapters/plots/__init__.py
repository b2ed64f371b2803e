"""Pictures for people. The only code that imports matplotlib."""
