"""Venues over real HTTP on loopback, with their shapes, their signatures, their paging and their moods."""
