"""The words of refusals, once each; other tests assert parts of them."""

from pathlib import Path

import pytest

from msalib import encoders
from msalib.base.errors import UserError
from msalib.encoders import clips, extraction, faces, media, tuned, weights
from msalib.encoders.names import resolve, resolve_all
from tests.clips import corpus
from tests.encoders.tiny import texts

NAMES = ", ".join([*encoders.ENCODERS, *encoders.SETS])

MESSAGES = {
    "name": (
        lambda: resolve("nothing"),
        f"encoder 'nothing': found no such name and no such folder; expected one of {NAMES}, a "
        "folder, a hub id (owner/name), or several joined by +. List the encoders: msalib doctor.",
    ),
    "two": (
        lambda: resolve_all("bert-base+roberta-base"),
        "encoder 'bert-base+roberta-base': found two for the linguistic modality, bert-base and "
        "roberta-base; expected one per modality. Leave one out.",
    ),
    "empty": (
        lambda: weights.folder(resolve("empty")),
        "empty: found nothing in it; expected config.json, a tokeniser and weights "
        "(model*.safetensors or pytorch_model*.bin). Give the folder that a model was saved to "
        "(save_pretrained).",
    ),
    "preset": (
        lambda: clips.check("mine"),
        "preset 'mine': found no such preset; expected one of release (what the authors' code "
        "does), article (what the paper's text says). Name one of these.",
    ),
    "media": (
        lambda: clips.files(texts(["a"]), "visual"),
        "corpus toy: found no media for the visual modality; expected a file per clip, as a folder "
        "of media with label.csv has. Add the data set from its media (msalib data add), or choose "
        "another modality.",
    ),
    "faces": (
        lambda: faces.detector("eyes"),
        "faces 'eyes': found no such detector of faces; expected one of opencv, mtcnn, whole. Name "
        "one of these when the data set is added (--faces).",
    ),
    "file": (
        lambda: media.sound(Path("a.wav"), "first"),
        "a.wav: found no such file; expected a sound file. Restore the file, or add the data set "
        "again from where its media are.",
    ),
    "store": (
        lambda: extraction.read(texts(["a"]), resolve("small-bert"), Path("store")),
        "store: found no feature store; expected the layers of small-bert for these clips. Make "
        "it: msalib encode toy small-bert",
    ),
    "tuned": (
        lambda: tuned.inputs(corpus(visual=["a"]), resolve("small-clip")),
        "encoder 'small-clip': found a model of pictures; expected a model of text or speech, the "
        "kinds that are fine-tuned. Use it frozen, or choose another (msalib doctor).",
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_refusal_says_what_was_found_what_is_expected_and_what_to_do(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    call, message = MESSAGES[case]
    with pytest.raises(UserError) as error:
        call()
    assert str(error.value) == message
