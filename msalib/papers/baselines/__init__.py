"""Answer what models score that belong to none of the papers, under one protocol.

A namespace of their own: they are trained once, and every paper's tables may read them.
"""
