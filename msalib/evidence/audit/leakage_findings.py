"""What the tests for leakage found, in words, with what to do about it."""

import pandas as pd

from msalib.data.corpus import PARTS, Corpus
from msalib.evidence.audit.findings import AuditFinding, share
from msalib.evidence.audit.integrity import last
from msalib.evidence.audit.leakage import (
    FAR,
    HONEST,
    LEVEL,
    PERMUTATIONS,
    SIDE,
    TEST,
    UNEVEN,
    VALID,
    Comparison,
    Probe,
    probe,
    units,
)
from msalib.evidence.audit.probe import gain_by_shared_videos, pooled


def check(corpus: Corpus, split: str, permutations: int = PERMUTATIONS):
    """Return findings on every modality of a split, and the probes that they rest on."""
    probes = probe(corpus, split, permutations)
    if not corpus.features:
        return [_finding("note", "text", "There are no features to probe.")], probes
    findings = []
    if units(corpus, split) is None:
        findings.append(_sharing(corpus, split))
    without = [m for m in corpus.features if m not in {p.modality for p in probes}]
    findings += [_finding("note", m, "There are no features to probe yet.") for m in without]
    for one in probes:
        findings += _signs(corpus, split, one) or [_silent(one)]
    return findings, probes


def _finding(severity, about, message, remedy="", check="linear probe") -> AuditFinding:
    return AuditFinding(
        severity=severity,
        group="leakage",
        check=check,
        about=about,
        message=message,
        remedy=remedy,
    )


def _signs(corpus, split, one: Probe) -> list[AuditFinding]:
    """Return a finding for each question that the probe or a single feature answers yes."""
    asked = {}
    for comparison in one.comparisons:
        if comparison.rejected:
            asked.setdefault((comparison.question, comparison.split), []).append(comparison)
    return [_sign(corpus, split, one, answers) for answers in asked.values()]


def _sign(corpus, split, one: Probe, answers: list[Comparison]) -> AuditFinding:
    question, other = answers[0].question, answers[0].split
    evidence = "; ".join(
        f"{'linear probe' if c.of == 'probe' else c.of} {c.difference:+.2f}, p = {c.p:.2g}"
        for c in answers
    )
    evidence += f" ({answers[0].units} {answers[0].unit}s)"
    about = f"{one.modality}: {one.source}"
    r = {part: "undefined" if x.r is None else f"{x.r:.2f}" for part, x in one.parts.items()}
    probed = f"probe: test {r['test']}, training {r['train']}, validation {r['valid']}"
    if question == TEST:
        return _finding(
            "error",
            about,
            "Labels of test videos are easier to predict than those of training videos: "
            f"{evidence}; {probed}. The features have seen labels of test clips.",
            "Use no number from these features. Ask which labels their makers used, and split by "
            "that.",
        )
    if question == VALID:
        return _finding(
            "warning",
            about,
            f"Labels of validation videos are far easier to predict than those of test videos: "
            f"{evidence}; {probed}. The features have seen labels of validation clips.",
            "Choose no epoch, layer or modality on this validation part: test scores are of "
            "models that were chosen wrongly.",
        )
    if question == UNEVEN:
        return _unevenness(split, one, about, evidence)
    if other == split:
        return _finding(
            "note",
            about,
            "Labels of training and validation videos are easier to predict than those of test "
            f"videos: {evidence}; {probed}. The features were made with labels of that side.",
            "Fair for test scores, but models take these features for better than they are.",
        )
    return _known_side(corpus, split, other, about, evidence)


def _unevenness(split: str, one: Probe, about: str, evidence: str) -> AuditFinding:
    text = (
        "Some videos are far easier than others: correlations within videos differ, beyond chance, "
        f"by more than honest ones do (standard deviation of Fisher's z up to {HONEST:g}): "
        f"{evidence}. Labels of some videos may have been used"
    )
    remedy = (
        "Ask which videos the makers of the features used, and give that as a split. Missing "
        "faces or voices in some videos can look the same."
    )
    sides = [c.p for c in one.comparisons if c.question == SIDE and c.split == split]
    if sides and min(sides) >= LEVEL:
        # A hint, no proof: with few test videos a leak on the training side may not show.
        text += (
            ", perhaps also of the test set, because it is not harder than training and validation "
            f"(least p = {min(sides):.2g})"
        )
    return _finding("warning", about, f"{text}.", remedy)


def _known_side(corpus, split, other, about, evidence) -> AuditFinding:
    seen = (corpus.splits[other] != "test").to_numpy()
    part = corpus.splits[split].to_numpy()
    count = {p: (int((seen & (part == p)).sum()), int((part == p).sum())) for p in PARTS}
    text = (
        f"By split {other!r}, labels of training and validation videos are easier to predict than "
        f"those of its test videos: {evidence}. The makers of the features used labels of that "
        "side, "
    )
    if count["test"][0]:
        return _finding(
            "error",
            about,
            f"{text}and it has {share(*count['test'])} test clips of split {split!r}.",
            f"Count nothing with these features on split {split!r}; use split {other!r}, and mind "
            "its validation part.",
        )
    if count["valid"][0]:
        return _finding(
            "warning",
            about,
            f"{text}and it has {share(*count['valid'])} validation clips of split {split!r}.",
            "Choose no epoch, layer or modality on this validation part.",
        )
    return _finding("note", about, f"{text}which has no test clip of split {split!r}.")


def _silent(one: Probe) -> AuditFinding:
    about = f"{one.modality}: {one.source}"
    r = " / ".join("undefined" if x.r is None else f"{x.r:.2f}" for x in one.parts.values())
    if not one.comparisons:
        message = f"r = {r} on train/valid/test; no two parts that could be compared."
        return _finding("note", about, message)
    least = min(one.comparisons, key=lambda c: c.p)
    return _finding(
        "ok",
        about,
        f"No sign of a leak: r = {r} on train/valid/test, each clip predicted from other "
        f"videos; of {len(one.comparisons)} signs looked for, the strongest is {least.question} "
        f"({least.of}, {least.difference:+.2f}, p = {least.p:.2g}).",
    )


def _sharing(corpus: Corpus, split: str) -> AuditFinding:
    """Report what a score on test owes to videos that are in training, where parts share videos."""
    label = corpus.utterances["label"].to_numpy(float)
    video = pd.factorize(corpus.utterances["video"])[0]
    train, test = (corpus.rows(p, split) for p in ("train", "test"))
    phrases, severity = [], "note"
    for modality, features in corpus.features.items():
        if last(features) is None or not len(train):
            continue
        gain = gain_by_shared_videos(pooled(features), label, video, train, test)
        if gain is None:
            continue
        phrases.append(f"{modality} {gain.effect:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]")
        if gain.low > 0 and gain.effect >= FAR:
            severity = "warning"
    message = "Parts share videos, so parts cannot be compared by permuting them."
    if phrases:
        message += (
            " The probe's correlation on test gains from videos that are also in training: "
            f"{'; '.join(phrases)}."
        )
    return _finding(severity, split, message, "Split by video.", check="shared videos")
