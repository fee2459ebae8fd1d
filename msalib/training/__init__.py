"""Answer how weights are found: one loop, its batched twin for many small models, and masking.

Nothing here knows a paper; a model's file brings its own objective.
"""
