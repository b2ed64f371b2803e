"""The inbox folder and its archive, and the reader that tells which venue wrote a file."""
