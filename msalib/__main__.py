"""``python -m msalib`` is the command ``msalib``."""

from msalib.cli import main

main()
