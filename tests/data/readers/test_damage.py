"""Each fault of a file has one message: layout, damage, and parts of what is told, in order."""

import json

import numpy as np
import pytest

from msalib.data.readers import formats
from tests.data.readers.toolbox import check, message, read_pickle, replace
from tests.fixtures import FIXTURES, mag_content, mmsa_content, multibench_content

# --- pickles ------------------------------------------------------------------------------------


def put(key, value=None, at=None):
    """Damage ``part/key``: take it away, exchange it or one entry, or apply a function."""
    part, name = key.split("/")

    def damage(content):
        held = content[part]
        if at is not None:
            held[name] = held[name].copy()
            held[name][at] = value
        elif value is None:
            del held[name]
        else:
            held[name] = value(held[name]) if callable(value) else value

    return damage


LABELS, LENGTHS = "train/regression_labels", "train/audio_lengths"
MMSA = [
    (lambda c: c.clear(), "a pickle of a dictionary with the keys none ... one of the formats"),
    (lambda c: c.update(more=c.pop("valid")), "a part 'more' ... train, valid (or dev) and test"),
    (lambda c: c.update(dev=c["valid"]), "two parts for valid, one of them 'dev' ... every part"),
    (lambda c: c.update(valid=[1]), "valid of type list ... the clips of a part"),
    (put("test/id"), "no id in test (there are: text, audio ... id for every clip"),
    (put("test/regression_labels"), "no regression_labels in test ... every clip"),
    (put(LENGTHS, 21, at=2), "audio_lengths 21 for clip vid00$_$2 in train ... from 0 to 20"),
    (put(LENGTHS, -1, at=2), "audio_lengths -1 for clip vid00 ... from 0"),
    (put(LENGTHS, 1.5, at=2), "audio_lengths 1.5 for clip vid0 ... whole"),
    (put(LENGTHS, "x", at=2), "train/audio_lengths with the entry 'x' ... a number"),
    (put("train/audio", lambda a: a[1:]), "train/audio of shape (23, 20, 5) ... (24, frames, fe"),
    (put("train/audio", lambda a: a[:, 0]), "train/audio of shape (24, 5) ... (24, frames"),
    (put("train/audio", lambda a: a.astype(str)), "train/audio of type ndarray ... numbers"),
    (put("train/audio", list), "train/audio of type list ... numbers of shape"),
    (put("test/audio", lambda a: a[:, :, 1:]), "acoustic features of shape ... each of 5 numbers"),
    (put("test/audio"), "audio not in all parts ... the same arrays in every part"),
    (put("train/raw_text", lambda a: a[1:]), "train/raw_text of 23 entries ... 24, one for every"),
    (put("train/raw_text", lambda a: [{}, *a[1:]]), "raw_text with an entry of type dict ... text"),
    (put("train/raw_text", lambda a: ["\ud800", *a[1:]]), "characters that are none ... Unicode"),
    (put(LABELS, 3.5, at=4), "regression_labels 3.5 for clip vid01$_$1 in train ... -3 to 3"),
    (put(LABELS, np.inf, at=4), "regression_labels inf for clip ... -3 to 3"),
    (put(LABELS, lambda a: a[1:]), "of shape (23,) ... 24 numbers, one for"),
    (put("train/id", "vid00$_$0", at=1), "two clips with the id vid00$_$0 (in train and train)"),
    (put("test/id", "vid00$_$0", at=1), "id vid00$_$0 (in train and test) ... every id once"),
    (put("test/id", "", at=1), "no id for clip number 35 ... an id each"),
    (put("test/id", []), "test/raw_text of 9 entries ... 0, one for every id"),
    (lambda c: c["test"]["text_bert"].__setitem__((0, 1, 1), 0), "gaps in its mask ... tokens wit"),
    (put("test/text_bert", lambda a: a[:, :2]), "text_bert of shape (9, 2, 16) ... mask (0 or 1)"),
    (put("test/text_bert", lambda a: a * 2), "without a mask in its second row ... mask (0"),
]
MULTIBENCH = [
    (put("train/id", lambda a: a[1:]), "train/labels of shape (24, 1, 1) ... 23 numbers"),
    (put("test/audio"), "audio not in all parts ... the same arrays in every part"),
    (put("test/text"), "text not in all parts ... the same arrays in every part"),
    (put("test/labels", np.zeros(3)), "test/labels of shape (3,) ... 9 numbers"),
    (put("test/labels", lambda a: a + 9), "label ... from -3 to 3"),
    (put("test/labels", ["x"] * 9), "test/labels with the entry 'x' ... a number"),
    (put("test/labels", [[1, 2]] * 9), "with the entry list ... a number for"),
    (put("test/text", np.zeros((9, 16))), "test/text of shape (9, 16) ... (9, f"),
    (put("test/audio", np.zeros((9, 2, 5))), "test/audio of shape (9, 2, 5) ... (clips, 16, 5)"),
    (put("test/id", ["a"] * 9), "two clips with the id a (in test and ... once"),
    (put("test/id", [None] * 9), "test/id with an entry of type None ... text"),
    (put("test/id", 3), "test/id of type int ... an array or a list"),
    (put("test/id", np.array("a")), "test/id of type ndarray ... an array or"),
    (put("test/id", []), "test/labels of shape (9, 1, 1) ... 0 numbers, one for every id"),
]


def clip(words=("a",), visual=None, acoustic=None, label=0, segment="s"):
    """Put a clip of one word fourth in the test part, with something else than it should have."""
    visual = np.zeros((1, 4)) if visual is None else visual
    acoustic = np.zeros((1, 5)) if acoustic is None else acoustic
    words = words if isinstance(words, str) else list(words)
    return fourth(((words, visual, acoustic), label, segment))


def fourth(value):
    return lambda content: content["test"].__setitem__(3, value)


MAG = [
    (lambda c: c.update(eval=c["test"]), "a part 'eval' ... train, valid (or dev) and test"),
    (clip(visual=[None]), "visual of clip 4 of test of type list ... 1 rows"),
    (
        fourth("x"),
        "clip 4 of test of another shape ... ((words, visual, acoustic), label, segment)",
    ),
    (fourth(((1, 2), 3, "a")), "clip 4 of test of another shape ... ((words,"),
    (clip(visual=np.zeros((2, 4))), "visual of clip 4 of test of shape (2, 4) ... 1 rows"),
    (clip(acoustic=np.zeros(5)), "acoustic of clip 4 of test of shape (5,) ... 1 rows"),
    (clip(acoustic=[[1]]), "acoustic of clip 4 of test of type list ... 1 rows"),
    (clip(visual=np.zeros((1, 3))), "visual features of shape (1, 3) for clip s ... each of 4"),
    (clip(words="a"), "the words of clip 4 of test of type str ... a list"),
    (clip(words=[1.5]), "the words of clip 4 of test with an entry of type float ... text"),
    (clip(label="b"), "the label of clip 4 of test with the entry 'b' ... a number"),
    (clip(label=5), "label 5.0 for clip s ... from -3 to 3"),
    (clip(segment=1.5), "the segment of clip 4 of test with an entry of type ... text"),
    (clip(segment="vid00[0]"), "two clips with the id vid00[0] (in train and test) ... once"),
    (clip(visual=np.full((1, 4), np.nan)), "4 visual values that are NaN ... finite"),
]
PICKLES = {
    "mmsa": (mmsa_content, MMSA),
    "multibench": (multibench_content, MULTIBENCH),
    "mag": (mag_content, MAG),
}


def cases(tables: dict[str, list]):
    """All rows as cases of one test, with names by layout and number."""
    rows = [(name, n, row) for name, table in tables.items() for n, row in enumerate(table)]
    return [pytest.param(name, *row, id=f"{name}-{n}") for name, n, row in rows]


@pytest.mark.parametrize(
    ("name", "damage", "parts"), cases({name: rows for name, (_, rows) in PICKLES.items()})
)
def test_a_damaged_pickle_is_told(path, name, damage, parts):
    content = PICKLES[name][0]()
    damage(content)
    check(message(read_pickle, path, content), path, parts)


@pytest.mark.parametrize("name", PICKLES)
def test_a_layout_is_known_by_what_a_pickle_holds(name):
    reader = formats.reader(name)
    for other, (content, _) in PICKLES.items():
        assert reader.fits(content()) == (other == name)
    for other in (None, [], {}, {"train": {}}, {"train": [1]}, {"train": []}, {"train": [(1, 2)]}):
        assert not reader.fits(other)
    assert reader.fits({"train": {"labels": 1}}) == (name == "multibench")


# --- text ---------------------------------------------------------------------------------------


def swap(file, old, new):
    return lambda folder: replace(folder / file, old, new)


def edit(file, change):
    """Change JSON in place, or exchange it for what ``change`` returns."""

    def damage(folder):
        path = folder / file
        content = json.loads(path.read_text())
        edited = change(content)
        path.write_text(json.dumps(edited if isinstance(edited, list | dict) else content))
        return path

    return damage


def field(name, value):
    return edit("sarcasm_data.json", lambda clips: clips["2_70"].update({name: value}))


def clips(change):
    return edit("sarcasm_data.json", change)


def folds(change):
    return edit("split_indices.json", change)


DEV, TURNS = "dev_sent_emo.csv", "utterances.csv"
TEXT = {
    "meld": [
        (swap(DEV, "negative", "angry"), "Sentiment 'angry' in row 1; expected negative | neutral"),
        (swap(DEV, "anger", "rage"), "Emotion 'rage' in row 1; expected neutral | joy"),
        (swap(DEV, ",0,0,4,7", ",x,0,4,7"), "Dialogue_ID 'x' in row 1; expected a number"),
        (swap(DEV, ",0,1,4,7", ",0,-1,4,7"), "Utterance_ID '-1' in row 2; expected a number"),
        (swap(DEV, "Sentiment", "Mood"), "no column Sentiment; expected the columns Utterance, Sp"),
        (swap(DEV, ',"00:01:02,003"', ",00:01:02,003"), "12 values in line 2; expected 11, as in"),
        (swap(DEV, 'so."', "so."), "line 2: ',' expected after '\"'"),
    ],
    "iemocap": [
        (swap(TURNS, "o01,1,0,F", "o01,6,0,F"), "session '6' in row 1; expected 1 to 5"),
        (swap(TURNS, "o01,1,0,F", "o01,2,0,F"), "dialogue Ses01F_impro01 in session 2; expected s"),
        (swap(TURNS, "o01,1,0,F", "o01,1,x,F"), "turn 'x' in row 1; expected a number"),
        (
            swap(TURNS, ".,0\n", ".,6\n"),
            "emotion6 '6' in row 1; expected 0 happy, 1 sad, 2 neu",
        ),
        (swap(TURNS, ".,0\n", ".,\n"), "emotion6 '' in row 1; expected 0 happy"),
        (swap(TURNS, "o01,1,1,M", "o01,1,0,M"), "two turns with the id Ses01F_impro01_000; expect"),
        (swap(TURNS, "Ses01F_impro01,1,0", ",1,0"), "a turn of no dialogue; expected"),
        (swap(TURNS, "emotion6", "emotion"), "no column emotion6; expected the columns dialogue"),
        (swap(TURNS, "o01,1,0,F", "o01,1,0"), "5 values in line 2; expected 6, as in the header"),
    ],
    "mustard": [
        (clips(lambda c: []), "no clips by id; expected per id utterance, speaker, context"),
        (clips(lambda c: {"a": 3}), "int for clip 'a'; expected"),
        (field("utterance", 3), "utterance of clip '2_70' is 3; expected"),
        (field("speaker", None), "speaker of clip '2_70' is None; expected"),
        (field("context", "x"), "context of clip '2_70' is 'x'; expected"),
        (field("context", [1]), "context of clip '2_70' has what is no text; expected"),
        (field("sarcasm", 1), "sarcasm of clip '2_70' is 1; expected"),
        (field("sarcasm", "yes"), "sarcasm of clip '2_70' is 'yes'; expected"),
        (field("show", 3), "show of clip '2_70' is 3; expected"),
        (field("context", ["x"]), "1 lines of context and 2 speakers of them for clip '2_70'"),
        (field("utterance", "\ud800"), "no JSON ('utf-8' codec can't encode"),
        (swap("sarcasm_data.json", '"2_70"', '"1_60"'), "two entries named '1_60'; expected every"),
        (folds(lambda f: f[:4]), "no list of five folds; expected five folds"),
        (folds(lambda f: {"a": 1}), "no list of five folds"),
        (folds(lambda f: [3, *f[1:]]), "fold 1 that is no pair"),
        (folds(lambda f: f[1][0].append("x")), "fold 2 with what is no list of places"),
        (folds(lambda f: f[1][0].append(True)), "fold 2 with what is no list of places"),
        (folds(lambda f: f[2][1].pop()), "fold 3 of 32 training and 7 test clips; expected every"),
        (folds(lambda f: f[2][1].append(40)), "fold 3 of 32 training and 9 test clips"),
        (folds(lambda f: f[4][0].append(f[4][1][0])), "fold 5 of 33 training and 8 test"),
    ],
}


@pytest.mark.parametrize(("name", "damage", "parts"), cases(TEXT))
def test_damaged_text_is_told(tmp_path, name, damage, parts):
    folder = FIXTURES[name](tmp_path / "toy")
    blamed = damage(folder)
    text = message(formats.reader(name).read, folder, "toy", formats.Options())
    assert text.startswith(f"{blamed}: found {parts.split(' ... ')[0]}")
