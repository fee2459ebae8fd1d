"""Answer what one paper asks: a folder per paper with its plan of runs, the tests of its claims,
its tables and its figures.

General code finds a paper's part by name, here and nowhere else.
"""
