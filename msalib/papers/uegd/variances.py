"""UEGD's Table 4: how much of the variance of labels and of predictions is within videos."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.evidence.printed import table as printed
from msalib.pages import compare
from msalib.pages.cells import mean_sd, number, printed_numbers
from msalib.pages.tables import Table
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import FEATURES
from msalib.papers.uegd.tables import inputs_in_words, printed_of, row_name, spec_of
from msalib.runs.query import Runs
from msalib.runs.spec import Spec, System


def ground_truth(runs: Runs, *, setting: str) -> Table:
    """Show the first row of Table 4, from labels alone, beside the printed one."""
    label, videos = runs.truth("test")
    rows = [_variance_row("ours", f"labels of {len(label)} test clips", label[None], videos)]
    printed_rows = [r for r in _printed_variances(spec_of(runs)) if r["of"] == "ground truth"]
    return Table(
        pd.DataFrame(rows + printed_rows),
        caption="Variance of the labels of the test set, in all and about the mean of their "
        f"video. {compare.about_printed(bool(printed_rows))}Setting: {setting}.",
    )


def table(runs: Runs, *, setting: str) -> Table:
    """Show Table 4: variance of single modalities' predictions, in all and within videos."""
    label, videos = runs.truth("test")
    rows = [_variance_row("ours", "ground truth", label[None], videos)]
    for m, feature, system in _alone(runs):
        (guess,) = runs.predictions("test", system)
        name = f"{m}, {row_name(runs, [m], feature)}: {inputs_in_words(runs, system)}"
        rows.append(_variance_row("ours", name, guess, videos))
    printed_rows = _printed_variances(spec_of(runs))
    single = "" if len(set(videos)) < len(videos) else "Every video is one clip: none within. "
    return Table(
        pd.DataFrame(rows + printed_rows),
        caption="Test set; population variance, mean ± standard deviation over "
        f"{len(guess)} seeds. {single}{compare.about_printed(bool(printed_rows))}"
        f"Setting: {setting}.",
    )


def numbers(runs: Runs) -> dict[str, str]:
    """Return numbers of Table 4: ``<truth or modality_feature>_<variance, within or share>``."""
    label, videos = runs.truth("test")
    rows = {"truth": _variance_row("ours", "", label[None], videos)}
    for m, feature, system in _alone(runs):
        (guess,) = runs.predictions("test", system)
        rows[f"{m}_{feature}"] = _variance_row("ours", "", guess, videos)
    for row in _printed_variances(spec_of(runs)):
        if row["of"] == "ground truth":
            rows["truth_printed"] = row
    return {
        f"{name}_{column.split()[0]}": row[column]
        for name, row in rows.items()
        for column in ("variance", "within videos", "share within")
    }


def _alone(runs: Runs) -> Iterator[tuple[str, str, System]]:
    """Yield modality, feature and system of each modality alone; without layers only once."""
    for m in runs.modalities:
        for feature in FEATURES if m in layers.layered(runs) else FEATURES[:1]:
            system = layers.system_of(runs, [m], feature)
            if runs.has(system):
                yield m, feature, system


def _variance_row(whose: str, name: str, values: np.ndarray, videos: np.ndarray) -> dict:
    """Return a row on values (S, N)."""
    total, within = stats.variances(values, videos)
    share = [w / t if t > 0 else None for w, t in zip(within, total, strict=True)]
    return {
        "whose": whose,
        "of": name,
        "variance": mean_sd(total, "{:.3f}".format),
        "within videos": mean_sd(within, "{:.3f}".format),
        "share within": mean_sd(share, "{:.2f}".format),
    }


def _printed_variances(spec: Spec) -> list[dict]:
    table = printed.load(spec.paper)
    table = table[(table["exhibit"] == "table4") & (table["dataset"] == printed_of(spec.dataset))]
    rows = []
    for (name, variant), cells in table.groupby(["system", "variant"], sort=False):
        feature, _, modality = variant.partition("_")
        values, numbers = cells.set_index("metric")["value"], printed_numbers(cells)
        total, within = (f"variance_{part}" for part in ("total", "intra"))
        share = values[within] / values[total]
        rows.append(
            {
                "whose": "printed",
                "of": name.replace("_", " ")
                if not variant
                else f"{modality}, {feature.capitalize()}.",
                "variance": numbers[total],
                "within videos": numbers[within],
                "share within": number(f"{share:.2f}", share),
            }
        )
    return sorted(rows, key=lambda row: row["of"] != "ground truth")
