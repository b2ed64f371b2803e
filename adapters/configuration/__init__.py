"""Reads `config/*.yaml`, `.env`, the stack's addresses and the environment into the typed settings tree.

The only place that reads the environment. `load_settings` is what everyone calls; what a setting means
stands in `trading/settings.py`, what it is set to in `config/`.
"""

from adapters.configuration.loading import default_project_root, load_settings

__all__ = ["default_project_root", "load_settings"]
