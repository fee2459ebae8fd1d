"""msalib: models, encoders, training and evidence behind the MSA re-run book."""

__version__ = "0.1.0"
