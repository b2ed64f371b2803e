"""Yahoo's chart interface: values of an index, without a key and without a promise."""
