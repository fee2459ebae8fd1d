"""Cross-validations: one record of all folds, whose metrics are those of all predictions."""

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data import datasets
from msalib.runs import folds
from msalib.runs.query import Runs
from msalib.runs.records import Predictions, Record
from tests.factory import make_record

RNG = np.random.default_rng(0)
CLIPS = 25
IDS = [f"dia{i // 3}_utt{i % 3}" for i in range(CLIPS)]
LABEL = RNG.integers(-1, 2, CLIPS).astype(float)
FIVE = [f"video{k}of5" for k in range(1, 6)]
SESSIONS = [f"session{k}" for k in range(1, 6)]


def clips(numbers, classes=False) -> Predictions:
    """Predictions of these clips, thrown."""
    numbers = [int(i) for i in numbers]
    scores = RNG.normal(size=(len(numbers), 3)).round(4)
    return Predictions(
        id=[IDS[i] for i in numbers],
        video=[IDS[i].split("_")[0] for i in numbers],
        label=[LABEL[i] + 1 if classes else LABEL[i] for i in numbers],
        prediction=(scores.argmax(1) if classes else scores[:, 0]).astype(float).tolist(),
        scores=scores.tolist() if classes else [],
    )


def parts(k: int) -> dict[str, np.ndarray]:
    """Clip i is tested in fold i modulo 5; the next clips of each fold validate."""
    tested = np.arange(k, CLIPS, 5)
    return {"valid": (tested + 1) % CLIPS, "test": tested}


def fold_records(names=FIVE, seed=0, inputs=None, classes=False, **spec) -> list[Record]:
    made = []
    for k, split in enumerate(names):
        predictions = {part: clips(numbers, classes) for part, numbers in parts(k).items()}
        inputs = inputs or {"linguistic": 1}
        made.append(make_record(inputs, seed, parts=predictions, split=split, **spec))
    return made


def change(record, **fields) -> Record:
    return record.model_copy(update=fields)


# --- what is pooled -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("split", "family"),
    [
        *[("video3of5", ("video", 5)), ("session3", ("session", None))],
        *[("fold10", ("fold", None)), ("speaker=Ses01F", ("speaker", None))],
        *[("session=2", ("session", None)), ("session=2+video", ("session+video", None))],
        *[("standard", None), ("features", None)],
    ],
)
def test_a_fold_is_known_by_its_name(split, family):
    assert folds.fold(split) == family


def test_metrics_are_those_of_all_predictions_end_to_end():
    records = fold_records()
    (pooled,) = folds.pool(records)
    by_id = {
        clip: (label, guess)
        for record in records
        for clip, label, guess in zip(
            *(getattr(record.predictions["test"], f) for f in ("id", "label", "prediction")),
            strict=True,
        )
    }
    test = pooled.predictions["test"]
    assert test.id == sorted(IDS)
    assert [(y, p) for y, p in zip(test.label, test.prediction, strict=True)] == [
        by_id[clip] for clip in sorted(IDS)
    ]
    label, guess = map(np.array, zip(*by_id.values(), strict=True))
    expected = datasets.dataset("control").task.metrics(label, guess)
    assert pooled.metrics["test"] == pytest.approx(expected)
    assert pooled.metrics["test"]["mae"] == pytest.approx(np.abs(label - guess).mean())
    assert pooled.chance["mae"] == pytest.approx(np.abs(label - np.median(label)).mean())
    assert pooled.spec == change(records[0].spec, split="video")
    assert pooled.provenance.seconds == 5
    assert pooled.provenance.commit == records[0].provenance.commit
    assert len(pooled.history) == 1 and pooled.selected_epoch == 2
    assert pooled.metrics["train"]["acc7"] == 0.75


def test_classes_are_scored_by_their_own_measures():
    records = fold_records(classes=True, dataset="meld-dev", target="sentiment")
    (pooled,) = folds.pool(records)
    test = pooled.predictions["test"]
    task = datasets.dataset("meld-dev").target("sentiment")
    expected = task.metrics(np.array(test.label), np.array(test.scores))
    assert pooled.metrics["test"] == pytest.approx(expected)
    assert {"wa", "f1_positive"} <= set(expected)
    assert test.prediction.tolist() == test.scores.argmax(1).tolist()
    right = np.concatenate(
        [np.equal(r.predictions["test"].label, r.predictions["test"].prediction) for r in records]
    )
    assert pooled.metrics["test"]["wa"] == pytest.approx(right.mean())


@pytest.mark.parametrize("classes", [False, True])
def test_a_clip_that_several_folds_validate_on_has_the_mean_score(classes):
    about = {"dataset": "meld-dev", "target": "sentiment"} if classes else {}
    records = fold_records(classes=classes, **about)
    again = clips([0, 1, 2], classes)
    valid = [clips([0, 7], classes), again, *(r.predictions["valid"] for r in records[2:])]
    records = [
        change(r, predictions={**r.predictions, "valid": v})
        for r, v in zip(records, valid, strict=True)
    ]
    valid = folds.pool(records)[0].predictions["valid"]
    place = valid.id.index(IDS[0])
    assert len(valid.id) == len(set(valid.id)) < CLIPS
    parts = [record.predictions["valid"] for record in records]
    columns = [(v.scores if classes else v.prediction, v.id) for v in parts]
    values = [s for c, ids in columns for s, i in zip(c, ids, strict=True) if i == IDS[0]]
    expected = np.mean(values, axis=0)
    mean = (valid.scores if classes else valid.prediction)[place]
    np.testing.assert_allclose(mean, expected, rtol=1e-5)


def test_one_record_per_system_and_seed():
    two = {"acoustic": 1}
    records = [r for seed in (0, 1) for r in fold_records(seed=seed)] + fold_records(inputs=two)
    order = RNG.permutation(len(records))
    pooled = folds.pool([records[i] for i in order])
    asked = {(r.spec.system.name(), r.spec.seed, r.spec.split) for r in pooled}
    assert asked == {("linguistic-1", 0, "video"), ("linguistic-1", 1, "video"),
                     ("acoustic-1", 0, "video")}  # fmt: skip
    runs = Runs(pooled)
    assert [len(s) for s in runs.records(*runs.systems)] == [1, 1]
    assert runs.predictions("test", runs.systems[0])[0].shape[1] == CLIPS


def test_plain_records_pass_unchanged_in_their_place():
    plain = [make_record({"linguistic": k}, parts=dict.fromkeys(("valid", "test"), clips(range(9))))
             for k in (1, 2)]  # fmt: skip
    assert folds.pool(plain) == plain and folds.incomplete(plain) == []
    mixed = folds.pool([plain[0], *fold_records(), plain[1]])
    assert [r.spec.split for r in mixed] == ["standard", "video", "standard"]
    assert mixed[0] is plain[0] and mixed[2] is plain[1]


def test_extras_per_test_clip_are_pooled_and_others_left_out():
    records = fold_records(paper="mmml")
    extras = [
        {
            "heads": {m: (1.0 * np.arange(k, CLIPS, 5) + s).tolist() for m, s in (("a", 0),
                                                                                  ("b", 100))},
            "per_block": {"linguistic": [1.0, 2.0, 3.0]},
            "half": {"a": [0.0] * 5, "b": [0.0]},
        }
        for k in range(5)
    ]  # fmt: skip
    records = [Record(**(r.model_dump() | more)) for r, more in zip(records, extras, strict=True)]
    (pooled,) = folds.pool(records)
    order = sorted(range(CLIPS), key=lambda i: IDS[i])
    assert pooled.heads == {"a": order, "b": [i + 100 for i in order]}
    assert not {"per_block", "half"} & set(pooled.model_extra)
    assert set(pooled.gates) == {"visual", "acoustic", "linguistic"}
    assert len(pooled.gates["visual"]) == CLIPS


def test_the_last_digits_of_many_folds_sort_as_numbers():
    names = [f"fold{k}" for k in range(1, 6)]
    assert sorted(["fold10", "fold9", "fold1"], key=folds._place) == ["fold1", "fold9", "fold10"]
    (pooled,) = folds.pool(fold_records(names)[::-1])
    assert pooled.spec.split == "fold"


# --- what is left out ---------------------------------------------------------------------------


@pytest.mark.parametrize("names", [FIVE, SESSIONS, [f"speaker={c}" for c in "abcde"]])
@pytest.mark.parametrize("missing", [[0], [4], [1, 2], [0, 1, 2, 3]])
def test_a_missing_fold_leaves_its_cross_validation_out_and_says_so(names, missing):
    whole, part = fold_records(names), fold_records(names, seed=1)
    part = [record for k, record in enumerate(part) if k not in missing]
    pooled = folds.pool([*whole, *part])
    assert [record.spec.seed for record in pooled] == [0]
    (said,) = folds.incomplete([*whole, *part])
    assert said.startswith(f"linguistic-1, seed 1: of the folds by {folds.fold(names[0]).family}")
    assert said.endswith(", ".join(record.spec.split for record in part))


# --- what is refused ----------------------------------------------------------------------------


def refusal(records) -> str:
    with pytest.raises(UserError) as error:
        folds.pool(records)
    return str(error.value)


def test_folds_of_other_data_are_refused():
    records = fold_records()
    other = records[2].provenance.model_copy(update={"data": "e" * 64})
    records[2] = change(records[2], provenance=other)
    assert "folds of different data; expected folds of the same clips" in refusal(records)


def test_folds_of_other_features_are_refused():
    records = fold_records()
    features = {"linguistic": {"source": "dice", "values": "other"}}
    other = records[2].provenance.model_copy(update={"features": features})
    records[2] = change(records[2], provenance=other)
    assert "folds of different data" in refusal(records)


def test_a_clip_that_two_folds_test_is_refused():
    records = fold_records()
    twice = clips([*parts(1)["test"], 0])
    records[1] = change(records[1], predictions={**records[1].predictions, "test": twice})
    assert f"clip {IDS[0]} in the test parts of video1of5 and video2of5" in refusal(records)


def test_folds_of_another_recipe_are_no_part_of_a_cross_validation():
    records = fold_records()
    train = {**records[0].spec.train, "epochs": 9}
    records[0] = change(records[0], spec=change(records[0].spec, train=train))
    assert folds.pool(records) == [] and len(folds.incomplete(records)) == 2
