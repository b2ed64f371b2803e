"""Instruments (page filled by its owner)."""
