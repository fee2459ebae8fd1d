"""Does the printed number of parameters of GLoMo follow from its printed sizes?"""

import pandas as pd

from msalib.evidence.printed.checks.finding import Finding, places
from msalib.evidence.printed.names import place

BERT_BASE = 108_891_648
"""Parameters of BERT-base without its pooler (papers/glomo.md (c))."""


def count_parameters(d: int, layers: int, experts: int, local: int, audio: int, video: int) -> int:
    """Return the trainable parameters of GLoMo on MOSI or MOSEI, from its printed sizes.

    ``d`` hidden size, ``layers`` of each audio and video encoder, ``experts`` and ``local`` vectors
    per modality, input widths ``audio`` and ``video``. Term by term from papers/glomo.md (c).
    """

    def linear(inputs: int, outputs: int) -> int:
        return inputs * outputs + outputs

    norm = 2 * d
    attention = 4 * linear(d, d)
    text = linear(768, d) + 3 * 768 * d
    inputs = 3 * audio * d + 3 * video * d
    encoder = layers * (attention + linear(d, 4 * d) + linear(4 * d, d) + 2 * norm) + norm
    flat = local * d
    mixture = experts * (linear(flat, d) + linear(d, d)) + 2 * flat * experts
    fusion = 2 * (attention + linear(d, 2048) + linear(2048, d) + 2 * norm)
    scorer = linear(3 * d, d) + linear(d, 3)
    head = 4 * linear(2 * d, d) + linear(2 * d, 1)
    return BERT_BASE + text + inputs + 2 * encoder + 3 * mixture + fusion + 2 * scorer + head


def check(table: pd.DataFrame) -> list[Finding]:
    """Compare the printed parameter count of GLoMo with the formula for its printed sizes."""
    glomo = table[(table["paper"] == "glomo") & (table["system"] == "GLoMo")]
    counts = glomo[(glomo["metric"] == "params") & (glomo["dataset"] == "mosi")]
    sizes = {
        "d": "hidden_dim",
        "layers": "encoder_layers",
        "experts": "num_experts",
        "local": "num_local",
        "audio": "dim_audio",
        "video": "dim_video",
    }
    rows = glomo[(glomo["dataset"] == "mosi") & (glomo["variant"] == "")]
    printed_sizes = {name: rows[rows["metric"] == m] for name, m in sizes.items()}
    if counts.empty or any(f.empty for f in printed_sizes.values()):
        return []
    count = counts.iloc[0]
    expected = count_parameters(
        **{name: int(f.iloc[0]["value"]) for name, f in printed_sizes.items()}
    )
    if expected == int(count["value"]):
        return []
    listing = ", ".join(
        f"{m.replace('_', ' ')} {int(printed_sizes[n].iloc[0]['value'])}" for n, m in sizes.items()
    )
    message = (
        f"{place(count)}: {int(count['value']):,} parameters; the printed sizes ({listing}) give "
        f"{expected:,}."
    )
    listed = places([count, *(f.iloc[0] for f in printed_sizes.values())])
    return [Finding("identities", "inconsistent", "glomo", message, listed)]
