"""`python -m warehouse_server`: see `command_line`."""

import sys

from warehouse_server.command_line import main

if __name__ == "__main__":
    sys.exit(main())
