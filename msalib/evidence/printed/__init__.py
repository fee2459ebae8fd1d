"""Answer what a paper's printed numbers say by themselves: are they possible, do they agree, do
they support the claim?

``checks`` holds one module per kind of check.
"""
