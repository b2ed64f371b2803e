"""One module per command of `desk`: arguments in, one call, an answer for people or as JSON."""
