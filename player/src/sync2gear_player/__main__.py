"""`python -m sync2gear_player` is the same as `sync2gear-speaker`."""

import sys

from sync2gear_player.cli import main

if __name__ == "__main__":
    sys.exit(main())
