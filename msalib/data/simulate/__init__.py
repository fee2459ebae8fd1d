"""Answer what a method finds where the truth is known: simulated features, and simulated clips
to hear and see.

``stories`` names the simulated corpora.
"""
