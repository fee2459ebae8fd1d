"""The commands of ``msalib``, by what they are about; ``msalib.__main__`` puts them together."""
