"""What may a printed number be? Units of metrics, and numbers as papers print them.

Papers print shares as they are or in percent, and MAE and Corr as they are or times 100.
"""

import re
from typing import NamedTuple

from msalib.data.metrics import METRICS

ANY = float("inf")


class Unit(NamedTuple):
    """The values that a number in this unit can have; the checks report others."""

    name: str
    low: float
    high: float
    whole: bool = False


UNITS = {
    Unit("%", 0, 100): """acc2 acc2_has0 acc2_non0 acc3 acc5 acc7 f1
        f1_has0 f1_non0 f1_mean f1_macro wa ua acc2_angry acc2_happy acc2_neutral acc2_sad
        f1_happiness f1_sadness f1_fear f1_anger f1_surprise f1_disgust f1_neutrality percent""",
    Unit("%", -100, 100): """acc2_difference delta_acc2 delta_acc2_non0 delta_f1 delta_f1_non0
        drop_no_text""",
    Unit("%", 0, ANY): "params_ratio_percent",
    Unit("correlation", -1, 1): "corr",
    Unit("points of the label", 0, 6): "mae",
    Unit("label", -3, 3): """label label_min label_max pred_m pred_t pred_a
        pred_v label_m label_t label_a label_v""",
    Unit("variance", 0, ANY): "variance_total variance_intra",
    Unit("share", 0, 1): """weight probability dropout output_dropout attn_dropout relu_dropout
        residual_dropout embed_dropout""",
    Unit("count", 0, ANY, whole=True): """count clips videos speakers topics params batch_size
        layer layers encoder_layers encoder_layers_min encoder_layers_max fusion_layers
        fc_layers conv_layers heads dim hidden_dim embed_size units pixels dim_text dim_audio
        dim_video runs epochs updates frames max_seq_len seq_len_text seq_len_audio
        seq_len_video num_classes num_clusters num_configs num_experts num_local top_k seed
        epochs_timed timing_runs patience_epochs epochs_to_stable_labels spt_repeats best_window
        mel_bins""",
    Unit("number", 0, ANY): """seconds seconds_ratio milliseconds hours fps frames_per_second
        ratio alpha omega learning_rate learning_rate_bert learning_rate_other loss_weight
        frame_size_s frame_step_s""",
}
"""Every metric that a paper may print, by its unit; labels reach from -3 to 3."""

METRIC_UNITS = {metric: unit for unit, names in UNITS.items() for metric in names.split()}

RESULTS = ("%", "correlation", "points of the label")
"""Units of results that papers compare; other numbers, such as sizes, are no results."""

MEASURED = (*RESULTS, "variance")
"""Units of all that is measured."""


def outside(metric: str, value: float) -> bool:
    """Check whether a value is none that a number in the unit of the metric can have."""
    _, low, high, _ = METRIC_UNITS[metric]
    return not low - 1e-9 <= value <= high + 1e-9


LOWER_IS_BETTER = {m for m in METRICS if not METRICS[m].higher_is_better} | {"params", "seconds"}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
SCALES = (1.0, 100.0, 0.01)
"""Papers print shares as they are or in percent, and MAE and Corr as they are or times 100."""


def sign(metric: str) -> int:
    """Return 1 where a larger number is the better one, else -1."""
    return -1 if metric in LOWER_IS_BETTER else 1


def number(printed: str) -> float | None:
    """Return the number in a printed string, None for a word or a range: '1,284' is 1284."""
    text = re.sub(r"[\s,]", "", printed).lower().rstrip("%s")
    return float(text) if _NUMBER.fullmatch(text) else None


def same(a: float, b: float) -> bool:
    """Check whether two numbers are equal up to the rounding of floats."""
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def scale(value: float, printed: str) -> float | None:
    """Return how a value was scaled from print (1, 100 or 0.01); None for another number.

    A string that is no number (three, 1/10) has scale 1: nothing is to be compared.
    """
    digits = number(printed)
    if digits is None:
        return 1.0
    return next((f for f in SCALES if same(value, digits * f)), None)


def half_unit(value: float, printed: str) -> float:
    """Return half a unit in the last printed place, in the unit of the value: 0.713 gives 0.0005.

    The number meant lies within that distance of the value. For words it is 0; for digits that are
    no number (a misprint such as 0.79.5) it is that of the value.
    """
    text = printed
    if number(printed) is None:
        text = f"{value:g}"
        if "." not in text:
            return 0.0
    mantissa, _, exponent = re.sub(r"[\s,%]", "", text).lower().rstrip("s").partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return 0.5 * 10.0**-decimals * (scale(value, printed) or 1.0)
