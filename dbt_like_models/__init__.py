"""SELECT-only models with their documentation and tests, laid out as dbt lays them out; this module only
says where.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
