"""Answer how often the tests of UEGD's claims err: predictions with known truth, judged by them.

A test is worth as much as its error rates: how often it says "supported" where there is no effect,
and how large an effect must be before it is detected. Trainings would take years for that, so
predictions are drawn instead, at the sizes of CMU-MOSI and CMU-MOSEI, and made to err as trained
models do (``synthetic``). The tests are those of the registry, on records as runs leave them.

    python -m msalib.papers.uegd.power      # an hour or two; goes on where it was stopped
"""
