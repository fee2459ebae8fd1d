"""Answer what a data set is: clips with labels, splits and features, and the metrics that score
them.

Readers turn files into a ``Corpus``; ``simulate`` makes one whose truth is known.
"""
