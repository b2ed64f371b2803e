"""What the desk keeps in its own folder beside the stores: small, replaceable, read at a start."""
