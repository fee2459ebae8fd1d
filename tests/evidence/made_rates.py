"""Records of error rates, made up."""

from msalib.evidence.error_rates import Cell, Measured, Power, SizeOf
from msalib.evidence.planting import TIMES


def measured(*shares, border=(0, 0), printed_in="table8, mosi", claim="MMML-C19", size="raw"):
    """Return a test of which so many of ten studies are supported at each multiple of a gain.

    ``border``: of 100 studies in which nothing differs, those supported and contradicted.
    """
    wrong = dict(zip(("supported", "contradicted"), border, strict=True))
    counts = wrong | {"inconclusive": 100 - sum(border)}
    cells = [Cell(role="border", words="0", metric="mae", gain=0, verdicts=counts)]
    for times, share in zip(TIMES, shares, strict=False):
        verdicts = {"supported": share, "inconclusive": 10 - share}
        cell = {"words": f"{times:g}", "metric": "mae", "gain": times, "verdicts": verdicts}
        cells.append(Cell(role="true", **cell))
    about = {"claim": claim, "test": "self_attention_helps", "size": size, "arms": 2}
    return Measured(quality=0.5, printed=1.0, printed_in=printed_in, cells=cells, **about)


def equivalence(found, border=(0, 0), claim="MMML-C15", size="raw"):
    """Return a test of no difference that ``found`` of ten equal pairs are supported by."""
    of = measured(found, border=border, claim=claim, size=size)
    true = of.cells[1].model_copy(update={"words": "nothing differs", "gain": 0.0})
    return of.model_copy(update={"printed": None, "printed_in": "", "cells": [of.cells[0], true]})


def power(*tests):
    """Return a record with these tests."""
    size = SizeOf(
        seeds=3,
        videos={"valid": 10, "test": 20},
        clips=120,
        records="6 runs of mmml on raw with small",
        scatter={"quality": 0.5, "quality_sd": 0.01, "run": 0.2, "arm": 0.3},
    )
    return Power(
        commit="0" * 7,
        device="cpu",
        versions={"numpy": "2"},
        started="2026-01-01T00:00:00+00:00",
        seconds=60.0,
        resamples=1000,
        sizes={one.size: size for one in tests},
        tests=list(tests),
    )
