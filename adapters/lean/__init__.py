"""Recorded market data in Lean's file formats, as typed rows. Reads files; writes and downloads nothing."""
