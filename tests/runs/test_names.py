"""Names of settings for readers."""

import pytest

from msalib import papers
from msalib.data import datasets
from msalib.encoders.registry import ENCODERS, SETS
from msalib.evidence import registry, settings
from msalib.runs import names
from msalib.runs.records import Setting


@pytest.mark.parametrize(
    ("setting", "full", "short"),
    [
        (
            ("mosi-standardised", "minilm", "release", "full"),
            "CMU-MOSI, transcripts and voice vectors, MiniLM",
            "CMU-MOSI",
        ),
        (
            ("ravdess", "log-mel-coarse", "article", "quick"),
            "RAVDESS, speech, log-mel spectrum, article recipe, quick profile",
            "RAVDESS, article recipe, quick profile",
        ),
        (("control", "planted", "release", "full"), "control", "control"),
        (
            ("mustard", "minilm-tuned", "release", "full"),
            "MUStARD, transcripts, fine-tuned MiniLM",
            "MUStARD",
        ),
        (
            ("nemo", "whisper-base-frames+minilm", "release", "full"),
            "nEMO, speech, Whisper base and MiniLM",
            "nEMO",
        ),
        (("mine", "bert/one", "release", "full"), "mine, bert/one", "mine"),
    ],
)
def test_a_setting_is_named_by_data_inputs_encoder_and_what_is_unusual(setting, full, short):
    assert names.full(Setting(*setting)) == full
    assert names.short(Setting(*setting)) == short


def test_every_built_in_data_set_and_every_encoder_of_a_setting_has_a_name():
    assert set(names.DATA) == set(datasets.DATASETS)
    known = [*names.ENCODERS, *names.HIDDEN]
    assert set(names.ENCODERS) <= {*ENCODERS, *SETS, "covarep-facet", "roberta-wav2vec2"} | {
        "roberta-mel"
    }
    for paper in registry.known():
        for setting in settings.study(paper):
            for part in setting.encoder.removesuffix("-tuned").split("+"):
                assert part.removesuffix("-frames") in known, setting


@pytest.mark.parametrize("paper", registry.known())
def test_no_two_settings_of_a_paper_share_a_name(paper):
    study = settings.study(paper)
    assert len({names.full(s) for s in study}) == len(study)
    reached = [s for s in study if names.group(paper, s) != "as published"]
    assert len({names.short(s) for s in reached}) == len(reached)


def test_real_data_come_before_simulated_clips_and_these_before_simulated_features(monkeypatch):
    monkeypatch.setattr(papers, "published", lambda paper, dataset, *_: dataset == "mosei")
    asked = [
        Setting(name, "minilm", "release", "full")
        for name in ("mosi-leaky", "control", "raw", "mosi", "mmmo", "mosei")
    ]
    found = [s.dataset for s in names.ordered("uegd", asked)]
    assert found == ["mosei", "mosi", "mmmo", "raw", "control", "mosi-leaky"]
