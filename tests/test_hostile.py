"""Text from outside is never code: one hostile string in every field, looked for where it shows."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from msalib.base.stats import Estimate
from msalib.base.terminal import say
from msalib.data import datasets, describe
from msalib.data.readers import formats
from msalib.evidence import audit, registry
from msalib.evidence.changes import Snapshot
from msalib.evidence.common import Evidence
from msalib.evidence.printed import checks
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.statements import Line
from msalib.evidence.printed.verdict import PrintedVerdict
from msalib.evidence.verdicts import Coverage
from msalib.pages import (
    amendments,
    cite,
    data,
    findings,
    gains,
    ledger,
    one_paper,
    overview,
    posters,
    predict,
    tables,
)
from msalib.pages import audit as audit_pages
from msalib.pages import clips as clip_pages
from msalib.pages.matrix import matrix
from msalib.papers.sugrm import clip_chooser, labels
from msalib.runs.predict import Contribution, Interval, Prediction, PredictionInterval, Predictions
from msalib.runs.query import Runs
from msalib.runs.records import Setting
from tests import small
from tests.fixtures import FIXTURES
from tests.hostile import HOSTILE, PRINTED, check_line, check_page, places, spoil, spoiled, texts
from tests.papers.sugrm import test_labels as histories

AT = Snapshot(version=HOSTILE, commit=HOSTILE, date="2026-11-30", claims={})
ATE = {
    **{"mmsa": 2, "multibench": 1, "mag": 2, "csd": 1, "media": 1, "meld": 2, "mustard": 3},
    **{"iemocap": 2, "frames": 0, "ravdess": 0, "nemo": 1},
}
"""Format -> fields at least that may hold any text; names of files have a form."""


def predictions(ids) -> Predictions:
    interval = PredictionInterval(low=-1.0, high=1.0, test_coverage=0.8)
    clips = [
        Prediction(
            id=name,
            given=["linguistic"],
            prediction=0.5,
            seeds=[0.4, 0.6],
            mean_interval=Interval(low=0.1, high=0.9),
            prediction_intervals={"80": interval, "90": interval},
            contributions={"linguistic": Contribution(change=0.1, seeds=[0.1, 0.1], gate=0.5)},
            notes=[HOSTILE],
        )
        for name in ids
    ]
    return Predictions(
        model=HOSTILE,
        setting=HOSTILE,
        scale=(-3.0, 3.0),
        clips=clips,
        meaning={"contributions": HOSTILE},
        notes=[HOSTILE],
    )


def check_predictions(ids) -> None:
    """What ``msalib predict`` and the page of ``run predict`` show of clips with these ids."""
    made = predictions(ids)
    told = [check_page(predict.intervals(made.clips))]
    truth = dict.fromkeys(ids, 0.5)
    told.append(check_page(predict.prediction_intervals(made.clips, truth, setting=HOSTILE)))
    told.append(check_page(predict.contributions(made.clips, meaning=HOSTILE, setting=HOSTILE)))
    assert all("<script>alert(1)<!--" in text for text in told)


# --- data ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", formats.FORMATS)
def test_no_text_of_a_file_is_code(name, tmp_path, msalib, monkeypatch):
    """A field that may hold any text is shown safely; one that may not is refused safely."""
    monkeypatch.setattr(datasets, "DATASETS", {})  # the command lists what is added
    clean = FIXTURES[name](tmp_path / "clean" / name)
    fields = [f for f in texts(clean.parent if clean.is_file() else clean)]

    def added(chosen) -> bool:
        shutil.rmtree(tmp_path / "spoiled", ignore_errors=True)
        shutil.copytree(tmp_path / "clean" / name, tmp_path / "spoiled")
        spoil(tmp_path / "spoiled", chosen)
        path = tmp_path / "spoiled" / (clean.name if clean.is_file() else "")
        status, *printed = msalib("data", "add", path, "--name", "spoiled", "--refresh")
        check_line("".join(printed))
        assert status in (0, 2)
        return status == 0

    free = {field for field in fields if added({field})}
    assert len(free) >= ATE[name]
    assert added(free)
    for command in (("data",), ("data", "audit", "spoiled")):
        status, *printed = msalib(*command)
        check_line("".join(printed))
        assert status == 0
    check_data("spoiled")


def check_data(name: str) -> None:
    """Every page of a data set."""
    corpus = datasets.load(name)
    split = next(iter(corpus.splits))
    report = audit.examine(corpus, name, HOSTILE, split, {HOSTILE: "0"}, permutations=9)
    check_page(audit_pages.findings(report))
    check_page(audit_pages.comparisons(report))
    probes = [probe.model_copy(update={"source": HOSTILE}) for probe in report.probes]
    check_page(audit_pages.probe_levels(probes, setting=HOSTILE))
    check_page(tables.Setting(report.setting))
    summary = describe.summarise(corpus, HOSTILE)
    check_page(data.counts(summary.model_copy(update={"dropped": {HOSTILE: HOSTILE}}), "uegd"))
    ids = corpus.utterances.index[:3].tolist()
    if any(PRINTED in clip for clip in ids):
        check_predictions(ids)


def test_predictions_are_no_code(capsys):
    check_predictions([f"{HOSTILE}{i}" for i in range(3)])
    say(*predict.report(predictions([HOSTILE])))
    check_line(capsys.readouterr().out)


def test_pictures_of_clips_are_no_code():
    ids = [f"v{i // 6}_{i % 6}{HOSTILE}" for i in range(60)]
    found = labels.histories(Runs(histories.records(ids)))
    chooser = clip_chooser.clip_chooser(found, setting=HOSTILE)
    assert "alert(1)" in check_page(chooser, scripts=1)
    assert "alert" not in chooser._repr_html_().split("<script>")[1]
    frames, wave = np.zeros((4, 8, 8, 3), np.uint8), np.zeros(16000, np.float32)
    shown = clip_pages.clip(
        frames, wave, 16000, text=HOSTILE, label=0.0, truth={HOSTILE: 0.0}, title=HOSTILE
    )
    assert HOSTILE in check_page(shown)


# --- printed numbers and claims -----------------------------------------------------------------

TEXTS = [column for column in printed.COLUMNS if column not in ("metric", "value", "printed")]


@pytest.mark.parametrize("columns", [*([c] for c in TEXTS), TEXTS], ids="-".join)
def test_printed_numbers_are_no_code(columns, tmp_path, msalib):
    rows = small.TABLE[list(printed.COLUMNS)].astype({"value": str})
    rows = rows.assign(**{c: rows[c] + HOSTILE for c in columns})
    rows.to_csv(tmp_path / "made.csv", index=False)
    for arguments in ((), ("--json",)):
        status, *said = msalib("printed", "check", "--dir", tmp_path, *arguments)
        check_line("".join(said))
        assert status == 0
    table = printed.load_all(tmp_path)
    every = checks.run(table)
    entries = {name: small.entry(HOSTILE) for name in table["paper"].unique()}
    for shown in (
        findings.findings(every, table, entries),
        findings.counted(every, entries),
        findings.answered(every, table, entries),
        findings.protocol(table, entries),
        gains.drift_map(table, entries),
        gains.drift_table(table, entries),
        findings.possible(table.iloc[0], 70),
    ):
        check_page(shown)


def hostile_entry() -> registry.Paper:
    """An entry with the hostile text in every field of its YAML file that may hold any text."""
    clean = small.ENTRIES["one"].model_dump(mode="json")

    def fits(chosen) -> bool:
        try:
            registry.Paper.model_validate(spoiled(clean, chosen))
        except ValidationError:
            return False
        return True

    free = {place for place in places(clean) if fits({place})}
    assert {("claims", "*", "statement"), ("name",), ("code",), ("noted", "*", "text")} <= free
    assert ("claims", "*", "id") not in free  # names of rows, which links lead to
    return registry.Paper.model_validate(spoiled(clean, free))


def hostile_evidence(entry: registry.Paper):
    effect = Estimate(0.1, 0.0, 0.2, 0.5, seeds=(0.1, 0.1))
    made = []
    for number, word in enumerate(ledger.SYMBOLS, 1):
        lines = [Line(HOSTILE, holds, (0,)) for holds in (True, None, False)]
        one = small.evidences(PrintedVerdict(word, lines, HOSTILE), word, number=number)
        claim = entry.claims[0].model_copy(update={"id": f"C{number}", "paper": "one"})
        verdicts = [
            replace(
                verdict,
                claim=claim,
                kind=HOSTILE,
                setting=Setting("mosi", *[HOSTILE] * 3),
                evidence=Evidence(word, {HOSTILE: effect}, HOSTILE),
                coverage=Coverage(5, 10, 5, {HOSTILE: 6}),
            )
            for verdict in one.rerun
        ]
        made.append(replace(one, claim=claim, rerun=verdicts, parity=HOSTILE))
    return made


def test_claims_are_no_code(monkeypatch):
    entry = hostile_entry()
    monkeypatch.setattr(registry, "load", lambda paper: entry)
    entries, made = {"one": entry}, hostile_evidence(entry)
    judged = [verdict for one in made for verdict in one.rerun]
    every, table = small.FOUND, small.TABLE
    for shown in (
        overview.claims(made, "one"),
        overview.ledger({"one": made}, entries),
        overview.verdicts({"one": made}, entries),
        one_paper.about("one", entry),
        one_paper.exhibits(entry),
        findings.findings(every, table, entries),
        findings.noted("one", entry, every, table),
        ledger.ledger(judged, "one", caption=HOSTILE),
        matrix(judged, caption=HOSTILE),
        cite.claims(entry.claims, AT),
        ledger.rules(entry.claims, registry.amendments("one")),
        amendments.table({"one": registry.amendments("one")}, entries),
        posters.poster({"one": made}, every),
    ):
        assert "alert(1)" in check_page(shown)


# --- what shows anything ------------------------------------------------------------------------


def test_tables_and_notes_show_text_as_text():
    frame = pd.DataFrame({HOSTILE: [HOSTILE, None], "listed": [[HOSTILE], {HOSTILE: 1}]})
    for shown in (
        tables.Table(frame, caption=HOSTILE),
        tables.Folded(HOSTILE, tables.Table(frame, caption="c")),
        tables.Note(HOSTILE),
        tables.Setting(HOSTILE),
        tables.Block(HOSTILE),
    ):
        assert "<script>alert(1)<!--" in check_page(shown)


def test_errors_are_shown_and_not_obeyed(msalib):
    for command in (("run", HOSTILE), ("claims", HOSTILE), ("data", "audit", HOSTILE)):
        status, out, error = msalib(*command)
        assert status == 2
        check_line(out + error)
        assert error.count("\n") == 1
