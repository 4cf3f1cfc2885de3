"""``python -m hearthline`` is the command line."""

from hearthline.cli import main

main()
