"""A sample desk: one trading month of several accounts from a seed, and what every source said about it.

`write_sample_desk` is the way in. The journal is the truth, the files in the inbox are what the sources
told, with their losses, repeats and planted breaks; `verify.compare` tells the warehouse's rows from the
journal's. Keep out: anything that reads statements or computes P&L for the desk itself.
"""

from simulation.sample_desk.journal import Journal
from simulation.sample_desk.verify import Difference, compare
from simulation.sample_desk.writing import write_sample_desk

__all__ = ["Difference", "Journal", "compare", "write_sample_desk"]
