"""What venues that speak JSON over HTTP have in common: reading payloads by row, and asking politely."""
