"""msalib: models, encoders, training and evidence behind the MSA re-run book."""

from msalib.base import caches as _caches

__version__ = "0.1.0"

_caches.lend()  # before anything imports a library that writes
