"""In-process ports, for tests and dry runs: the same answers as the real ones, by other means."""
