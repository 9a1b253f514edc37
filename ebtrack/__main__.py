"""``python -m ebtrack``."""

from ebtrack.cli import main

main()
