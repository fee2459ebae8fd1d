"""Answer what every program needs and no field owns: errors, paths, files, progress, random
numbers by key, statistics.

Imports nothing of msalib.
"""
