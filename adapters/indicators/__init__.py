"""Technical indicators computed here, by a library."""
