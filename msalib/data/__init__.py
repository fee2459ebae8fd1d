"""Answer what a data set is: clips with labels, splits and features, and what is predicted of them.

Readers turn files into a ``Corpus``, ``simulate`` makes one whose truth is known, and a task says
which metrics score it.
"""
