"""Tests of MMML's claims on the records of one setting; rules in book/claims/mmml.yaml.

All rest on the shared tests of ``evidence.comparisons`` and ``evidence.choices``, which cover other
test videos and other trainings, take five seeds (three where an encoder is fine-tuned), and whose
error rates ``papers.mmml.power`` measures. A claim that compares data sets, or ours with printed
rows, has no test here: its entry says what it needs.
"""

from collections.abc import Sequence

from msalib.data.corpus import TUNED
from msalib.evidence import arms, choices, comparisons
from msalib.evidence.arms import Arm, Head
from msalib.evidence.common import Evidence, Word, not_run, sentence
from msalib.evidence.videos import within
from msalib.papers.mmml import BESIDE, plan
from msalib.papers.mmml.plan import SOUND, TEXT, system
from msalib.runs import folds, records, spec
from msalib.runs.query import Runs
from msalib.runs.records import Record, Setting

ANY_TASK = True
"""Whether the tests read the metrics of whatever task a data set has."""

TESTED = ("mae", "corr")
"""Metrics of claims of a gain "on each data set": the two that no cut point moves."""

TESTED_OF_CLASSES = ("f1", "ua")
"""The same where labels are classes: both weigh the classes, by their size or equally."""


def tested(runs: Runs) -> Sequence[str]:
    """Return the metrics of claims that name none: those that no cut point moves."""
    return TESTED if "mae" in runs.task.shown else TESTED_OF_CLASSES


def metrics_of(runs: Runs) -> Sequence[str]:
    """Return the metrics of "every metric": those that tables of this data set show."""
    return runs.task.shown


def chosen_by(runs: Runs) -> str:
    """Return the metric by which validation chooses windows and depths: MAE where there is one."""
    return "mae" if "mae" in runs.task.shown else runs.task.selects


def has_own_labels(runs: Runs) -> bool:
    """Check whether the modalities of this data set were labelled by themselves."""
    extras = (runs.example(s).model_extra or {} for s in runs.systems)
    return any(one.get("unimodal_labels") for one in extras)


def _whole(runs: Runs) -> plan.Whole | None:
    """Return text and sound of the records, or None where the data set has one of them only."""
    whole = plan.recorded_whole(runs)
    return whole if len(whole) == 2 else None


ONE_MODALITY = not_run(["words and sound of the same clips"])


# --- fusion and context -------------------------------------------------------------------------


def context_helps(runs: Runs) -> Evidence:
    """C3: the fusion network with context against itself without, in every metric."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    with_context = Arm(plan.contexts(whole)["fusion network with context"], name="with context")
    return comparisons.direction_and_size(
        runs, [(with_context, Arm(system(whole), name="without"))], metrics=metrics_of(runs)
    )


def sound_helps(runs: Runs) -> Evidence:
    """C7: concatenation and fusion network against text alone, in every metric."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    named = plan.compared(whole)
    text = _text_alone_of_the_whole(runs, whole)
    pairs = [(Arm(named[n], name=n), text) for n in ("concatenation", "fusion network")]
    return comparisons.direction_and_size(runs, pairs, metrics=metrics_of(runs))


def _text_alone_of_the_whole(runs: Runs, whole: plan.Whole) -> Arm:
    """Return text alone, trained on the label of the whole clip where words have their own."""
    labels = {"labels": "copied"} if has_own_labels(runs) else {}
    return Arm(system({TEXT: whole[TEXT]}, **labels), name="text alone")


def fusion_beats_concatenation(runs: Runs) -> Evidence:
    """C9: in most metrics, by a test that controls its error."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    named = plan.compared(whole)
    fusion, plain = (Arm(named[n], name=n) for n in ("fusion network", "concatenation"))
    return comparisons.k_of_n(runs, [(fusion, plain)], metrics=metrics_of(runs))


def restorations_alike(runs: Runs) -> Evidence:
    """C15: every pair of v1, v2 and v3, in every metric."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    v1, v2, v3 = (Arm(s, name=n) for n, s in plan.restorations(whole).items())
    pairs = [(v2, v1), (v3, v1), (v3, v2)]
    return comparisons.equivalent(runs, pairs, metrics=metrics_of(runs))


# --- sound alone --------------------------------------------------------------------------------


MEL = {
    "meld-dev": (*BESIDE["meld-dev"], system({SOUND: 1})),
    "raw": (*BESIDE["raw"], spec.system({SOUND: 1}, paper=plan.PAPER, family="mel_cnn")),
}
"""Data set -> the setting whose sound is read as mel features of the same clips, and the system."""

SEEN = {
    "meld-dev": "the encoder of raw sound learned the emotions of MELD's training set, and its "
    "checkpoint was selected on these clips; nothing like that is known of the mel features",
}
"""Data set -> what a reader of C5 must know of its features."""


def raw_sound_beats_mel(runs: Runs) -> Evidence:
    """C5: sound alone by an encoder of raw sound against mel features, in accuracy.

    Both are trained and scored on the label of the whole clip. It also reads the records of
    ``MEL``, of the same preset and profile.
    """
    whole = plan.recorded_whole(runs)
    if runs.dataset not in MEL or SOUND not in whole:
        return not_run(["raw sound and mel features of the same clips"])
    dataset, encoder, mel = MEL[runs.dataset]
    labels = {"labels": "copied"} if has_own_labels(runs) else {}
    alone = system({SOUND: whole[SOUND]}, **labels)
    if not runs.has(alone):
        return not_run([f"runs of {alone.name()}"])
    ours = runs.records(alone)[0]
    beside = Setting(dataset, encoder, ours[0].spec.preset, ours[0].spec.profile)
    theirs = Runs(folds.pool(records.find(plan.PAPER, beside)))
    if not theirs.has(mel):
        return not_run(["runs of mel features"])
    both = Runs([*ours, *map(_as_mel, theirs.records(mel)[0])])
    pair = Arm(alone, name="encoder of raw sound"), Arm(MEL_SYSTEM, name="mel features")
    judged = comparisons.direction_and_size(both, [pair], metrics=["acc2_has0"])
    return judged._replace(note=sentence(judged.note, SEEN.get(runs.dataset, "")))


MEL_SYSTEM = spec.system({SOUND: "mel"}, paper=plan.PAPER)
"""What stands for sound alone where mel features of another setting are compared."""


def _as_mel(record: Record) -> Record:
    """Return a record of sound alone as one of ``MEL_SYSTEM``."""
    bare = {"inputs": {SOUND: "mel"}, "model": {}, "train": {}}
    return record.under(record.spec.model_copy(update=bare))


def text_ahead_of_sound(runs: Runs, low: float, high: float) -> Evidence:
    """C14: accuracy of text alone minus that of sound alone, from ``low`` to ``high`` points.

    A 95% interval supports, a 98% interval contradicts: near chance, accuracies are skewed, and in
    simulated studies a 95% one was wholly outside too often.
    """
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    if whole[SOUND] != TUNED and runs.dataset not in MEL:
        return not_run(["an encoder of raw sound"])
    own = has_own_labels(runs)
    text, sound = (
        Arm(system({m: whole[m]}), Head(m, own=own), f"{name} alone")
        for m, name in ((TEXT, "text"), (SOUND, "sound"))
    )
    if needs := arms.lacking(runs, [text, sound]):
        return not_run(needs)
    metric = next(m for m in ("acc2_has0", "acc2", "wa") if m in runs.task.shown)
    gains = arms.gains(runs, text, sound, [metric])
    word = within(gains[metric].estimate(), low, high)
    if word == "contradicted" and within(gains[metric].estimate(0.02), low, high) != word:
        word = "inconclusive"
    note = sentence(f"{low:g} to {high:g} points", arms.sample(runs, [text, sound]).covers())
    return Evidence(word, arms.effects(gains), note)


# --- losses -------------------------------------------------------------------------------------


def losses_alike(runs: Runs) -> Evidence:
    """C10: three losses that share one label against one, in every metric."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    labels = {"labels": "copied"} if has_own_labels(runs) else {}
    three = Arm(system(whole, fusion="concatenation", **labels), name="three losses, one label")
    one = Arm(plan.losses(whole)["one loss"], name="one loss")
    return comparisons.equivalent(runs, [(three, one)], metrics=metrics_of(runs))


def own_labels_help(runs: Runs) -> Evidence:
    """C11: three losses with own labels against one, and against three with the label copied."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    if not has_own_labels(runs):
        return not_run(["labels of each modality by itself"])
    three = Arm(plan.losses(whole)["three losses"], name="three losses, own labels")
    one = Arm(plan.losses(whole)["one loss"], name="one loss")
    copied = Arm(plan.copied(whole)["three losses, copied labels"], name="three, copied")
    pairs = [(three, one), (three, copied)]
    return comparisons.direction_and_size(runs, pairs, metrics=tested(runs))


def _heads(runs: Runs, whole: plan.Whole, modality: str) -> list[tuple[Arm, Arm]]:
    """Return a head trained with the others against one trained alone, on each of its labels."""
    together = system(whole, fusion="concatenation")
    alone = system({modality: whole[modality]})
    kinds = (True, False) if has_own_labels(runs) else (False,)
    named = {True: "on its own label", False: "on the label of the whole"}
    return [
        (
            Arm(together, Head(modality, own=own), f"{modality} head of three {named[own]}"),
            Arm(alone, Head(modality, own=own), f"{modality} alone {named[own]}"),
        )
        for own in kinds
    ]


def text_head_gains(runs: Runs) -> Evidence:
    """C12: the text head of three losses against text alone, both on the same label."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    return comparisons.direction_and_size(runs, _heads(runs, whole, TEXT), metrics=tested(runs))


def sound_head_gains_nothing(runs: Runs) -> Evidence:
    """C13: the sound head of three losses gains no more than a margin over sound alone."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    return comparisons.no_gain(runs, _heads(runs, whole, SOUND)[:1], metrics=tested(runs))


def other_weights_gain_nothing(runs: Runs) -> Evidence:
    """C22: weights of 0.3 and 3 gain no more than a margin over weights of 1."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    usual, *others = (Arm(s, name=f"weights {n}") for n, s in plan.loss_weights(whole).items())
    pairs = [(other, usual) for other in others]
    return comparisons.no_gain(runs, pairs, metrics=metrics_of(runs))


def other_rates_alike(runs: Runs) -> Evidence:
    """C23: other learning rates of the parts make no difference beyond a margin."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    if whole[TEXT] != TUNED:
        return not_run(["fine-tuned encoders, which have a rate of their own"])
    usual, *others = (Arm(s, name=n) for n, s in plan.rates(whole).items())
    pairs = [(other, usual) for other in others]
    return comparisons.equivalent(runs, pairs, metrics=metrics_of(runs))


# --- windows ------------------------------------------------------------------------------------


ONE_INPUT = "a fine-tuned text encoder, which reads joined context and clip as one input"
"""What joined context needs: frozen, the clips are encoded one by one and then averaged."""


def separate_beats_joined(runs: Runs) -> Evidence:
    """C16: each kind of context with the window that validation chooses, in every metric."""
    whole = plan.recorded_whole(runs)
    if whole.get(TEXT) != TUNED:
        return not_run([ONE_INPUT])
    arms_of = plan.windows(whole)
    separate, joined = (
        [s for (kind, window), s in arms_of.items() if kind == wanted and window]
        for wanted in ("separate", "joined")
    )
    return choices.best_over_best(
        runs, separate, joined, metrics=metrics_of(runs), by=chosen_by(runs)
    )


def best_window(runs: Runs, joined: int, separate: int) -> Evidence:
    """C17: validation chooses these windows among 0 to 3, each for its kind of context."""
    whole = plan.recorded_whole(runs)
    if whole.get(TEXT) != TUNED:
        return not_run([ONE_INPUT])
    found = []
    for kind, claimed in (("joined", joined), ("separate", separate)):
        windows = {k: s for (of, k), s in plan.windows(whole).items() if of == kind}
        others = [s for k, s in windows.items() if k != claimed]
        one = choices.most_often_chosen(runs, windows[claimed], others, by=chosen_by(runs))
        found.append((kind, one))
    return comparisons.all_parts(dict(found))


def best_pair_of_windows(runs: Runs, text: int, sound: int) -> Evidence:
    """C18: validation chooses these windows of words and of sound."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    grid = plan.window_grid(whole)
    others = [s for pair, s in grid.items() if pair != (text, sound)]
    return choices.most_often_chosen(runs, grid[text, sound], others, by=chosen_by(runs))


# --- parts of the fusion network ----------------------------------------------------------------


def self_attention_helps(runs: Runs) -> Evidence:
    """C19: the whole network against the one without self-attention, in every metric."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    full, without, *_ = (Arm(s, name=n) for n, s in plan.ablations(whole).items())
    return comparisons.direction_and_size(runs, [(full, without)], metrics=metrics_of(runs))


def layers_help_more(runs: Runs) -> Evidence:
    """C20: without self-attention against without more, in either reading of the row."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    _, without, *readings = (Arm(s, name=n) for n, s in plan.ablations(whole).items())
    found = {
        reading.name: comparisons.direction_and_size(
            runs, [(without, reading)], metrics=metrics_of(runs)
        )
        for reading in readings
    }
    words = [one.verdict for one in found.values()]
    both = comparisons.all_parts(found)
    if "not run" in words:
        return both
    word: Word = "inconclusive"
    if "supported" in words:
        word = "supported"
    elif set(words) == {"contradicted"}:
        word = "contradicted"
    return both._replace(verdict=word)


def five_layers_best(runs: Runs, layers: str) -> Evidence:
    """C21: validation chooses this number of layers."""
    if (whole := _whole(runs)) is None:
        return ONE_MODALITY
    depths = plan.depths(whole)
    others = [s for n, s in depths.items() if n != layers]
    return choices.most_often_chosen(runs, depths[layers], others, by=chosen_by(runs))


TESTS = (
    context_helps,
    raw_sound_beats_mel,
    sound_helps,
    fusion_beats_concatenation,
    losses_alike,
    own_labels_help,
    text_head_gains,
    sound_head_gains_nothing,
    text_ahead_of_sound,
    restorations_alike,
    separate_beats_joined,
    best_window,
    best_pair_of_windows,
    self_attention_helps,
    layers_help_more,
    five_layers_best,
    other_weights_gain_nothing,
    other_rates_alike,
)
"""Tests of the claims, by their names in book/claims/mmml.yaml."""
