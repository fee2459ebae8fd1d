"""Vision: layer k is the class token after block k; pictures without a face; each refusal."""

import json
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from msalib.base.errors import UserError
from msalib.encoders import Encoder, faces, media, vision
from msalib.encoders.extraction import extract, read
from tests.clips import corpus, flat, write_pictures, write_video
from tests.encoders.lazy import transformers
from tests.encoders.tiny import save_clip, save_wavlm

pytest.importorskip("cv2", reason="pictures need the extra media")


def bright(picture: np.ndarray):
    """A detector that finds a face in bright pictures, in their right half."""
    height, width = picture.shape[:2]
    return (width // 2, 0, width, height) if picture.mean() > 100 else None


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Encoder:
    folder = save_clip(tmp_path_factory.mktemp("models") / "tiny")
    return Encoder("tiny", "visual", str(folder))


@pytest.fixture
def some_faces(monkeypatch):
    monkeypatch.setattr(media, "detector", lambda name: bright)


def rough(seed: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (count, 24, 24, 3), dtype=np.uint8))


def by_hand(encoder: Encoder, pictures: list[np.ndarray]) -> np.ndarray:
    """Layers (L, P, D) of the class token by transformers alone, on pictures that are faces."""
    cv2 = pytest.importorskip("cv2")
    image = pytest.importorskip("PIL.Image")
    model = transformers.CLIPVisionModel.from_pretrained(encoder.model).eval()
    crops = [cv2.resize(p, (256, 256), interpolation=cv2.INTER_AREA) for p in pictures]
    small = [image.fromarray(c).resize((32, 32), image.Resampling.BICUBIC) for c in crops]
    pixels = np.stack([(np.asarray(s) / 255 - vision.MEAN) / vision.DEVIATION for s in small])
    with torch.inference_mode():
        pixels = torch.from_numpy(pixels).float().permute(0, 3, 1, 2)
        states = model(pixels, output_hidden_states=True).hidden_states
    return torch.stack(states)[:, :, 0].numpy()


def test_layer_k_is_the_class_token_after_block_k(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(vision.PICTURES, "cpu", 3)  # clips that are cut between passes
    pictures = [rough(n, count) for n, count in enumerate((4, 1, 7))]
    paths = [write_pictures(tmp_path / str(n), p) for n, p in enumerate(pictures)]
    data = corpus(visual=paths)
    folder = extract(data, tiny, tmp_path / "store", "cpu")
    features = read(data, tiny, folder)
    assert features.lengths().tolist() == [4, 1, 7]
    assert list(features.layers) == [0, 1, 2]
    for own, (start, stop) in zip(pictures, pairwise(features.offsets), strict=True):
        stored = np.stack([layer[start:stop] for layer in features.layers.values()])
        np.testing.assert_allclose(stored, by_hand(tiny, own), rtol=2e-2, atol=2e-2)


def test_the_last_layer_is_before_the_final_norm_and_the_first_enters_block_one(tiny):
    model, preparation = vision.load(tiny)
    pictures = np.stack(rough(0, 5))
    pictures = np.stack([media.bicubic(p, 32) for p in pictures])
    seen = []
    model.encoder.layers[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.post_layernorm.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    layers = vision.layers(model, preparation, pictures, 5)
    entering, before_norm = seen
    np.testing.assert_allclose(layers[0], entering[:, 0].numpy(), atol=2e-3)
    np.testing.assert_allclose(layers[-1], before_norm.numpy(), atol=2e-3)
    half = vision.layers(model, preparation, pictures, 5, "bfloat16")
    np.testing.assert_allclose(half, layers, atol=0.1)


def test_the_tower_of_a_whole_clip_is_taken(tiny, tmp_path):
    torch.manual_seed(0)
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 9}
    tower = transformers.CLIPVisionConfig.from_pretrained(tiny.model).to_dict()
    whole = transformers.CLIPModel(
        transformers.CLIPConfig(text_config=text, vision_config=tower, projection_dim=8)
    )
    whole.save_pretrained(tmp_path / "whole")
    model, preparation = vision.load(Encoder("whole", "visual", str(tmp_path / "whole")))
    pictures = np.zeros((1, 32, 32, 3), np.uint8)
    expected = whole.vision_model.pre_layrnorm.weight
    torch.testing.assert_close(model.pre_layrnorm.weight, expected)
    patch = whole.vision_model.embeddings.patch_embedding.weight
    torch.testing.assert_close(model.embeddings.patch_embedding.weight, patch)
    assert vision.layers(model, preparation, pictures, 1).shape == (3, 1, 16)


# --- faces --------------------------------------------------------------------------------------


def test_pictures_without_a_face_are_zeros_in_their_place_and_counted(tiny, some_faces, tmp_path):
    clips = [[200, 10, 200], [10, 10], [10, 200]]
    paths = [
        write_pictures(tmp_path / str(n), [np.full((40, 40, 3), v, np.uint8) for v in values])
        for n, values in enumerate(clips)
    ]
    data = corpus(visual=paths, faces="opencv")
    with pytest.warns(UserWarning, match="1 of 3 clips of toy show no face, and are zeros"):
        folder = extract(data, tiny, tmp_path / "store", "cpu")
    features = read(data, tiny, folder)
    for layer in features.layers.values():
        assert layer.any(axis=1).tolist() == [v > 100 for values in clips for v in values]
    assert features.provenance[vision.NO_FACE] == "4"
    assert features.provenance[vision.NO_FACES] == "1"
    assert features.provenance["faces"].endswith("the largest, margin 0, at a height of 720")


def test_no_face_anywhere_is_refused(tiny, some_faces, tmp_path):
    paths = [write_pictures(tmp_path / str(n), [flat(9)] * 2) for n in range(2)]
    data = corpus(visual=paths, faces="opencv")
    with pytest.raises(UserError, match=r"no face in any of the 4 pictures of its 2 clips.*whole"):
        extract(data, tiny, tmp_path / "features" / "store", "cpu")
    assert not (tmp_path / "features" / "store").exists()


def test_a_store_of_another_detector_or_preset_is_refused(tiny, tmp_path):
    video = write_video(tmp_path / "a.mp4", [flat(4 * n) for n in range(30)], 25)
    data = corpus(visual=[video])
    folder = extract(data, tiny, tmp_path / "store", "cpu")
    assert read(data, tiny, folder).lengths().tolist() == [4]  # every 8th of 30
    for other, preset in ((corpus(visual=[video], faces="opencv"), "release"), (data, "article")):
        with pytest.raises(UserError, match="features of other clips"):
            read(other, tiny, folder, preset)
    folder = extract(data, tiny, tmp_path / "paper", "cpu", preset="article")
    features = read(data, tiny, folder, "article")
    assert features.provenance["preset"] == "paper"
    assert features.provenance["sampling"].startswith("the picture nearest")
    assert features.provenance["faces"] == "whole: the picture is the face"


def test_release_and_paper_crop_the_same_face_from_pictures_of_other_heights(tmp_path):
    from tests.encoders.test_faces import drawn

    picture = drawn(360, 480, (170, 120, 150))
    folder = write_pictures(tmp_path / "a", [picture])
    (release,), (paper,) = (media.look(folder, p, "opencv") for p in ("release", "article"))
    assert abs(release[0] / 2 - paper[0]) < 20  # found at a height of 720
    crops = [
        media.crops(folder, p, "opencv", [box], 32, 32)[0].astype(int)
        for p, box in (("release", release), ("article", paper))
    ]
    assert np.abs(crops[0] - crops[1]).mean() < 25
    assert faces.detector("opencv")(picture) == paper


# --- preparation and refusals -------------------------------------------------------------------


def test_the_preprocessor_says_how_pictures_are_prepared(tmp_path):
    folder = save_clip(tmp_path / "model")
    encoder = Encoder("tiny", "visual", str(folder))
    _, preparation = vision.load(encoder)
    assert (preparation.resize, preparation.crop) == (32, 32)
    np.testing.assert_allclose(preparation.mean, vision.MEAN)

    def say(**words):
        (folder / "preprocessor_config.json").write_text(json.dumps(words))

    say(size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}, image_mean=[0.5] * 3)
    _, preparation = vision.load(encoder)
    assert (preparation.resize, preparation.crop) == (40, 32)
    assert preparation.mean.tolist() == [0.5] * 3
    say(size=32, crop_size=32)
    assert vision.load(encoder)[1].resize == 32
    say(crop_size=64)
    with pytest.raises(UserError, match="pictures of 64 pixels; expected 32"):
        vision.load(encoder)
    for content, found in (("{", "Expecting"), ("[]", "a list")):
        (folder / "preprocessor_config.json").write_text(content)
        with pytest.raises(UserError, match=f"preprocessor_config.json: found {found}"):
            vision.load(encoder)


def test_a_model_of_speech_is_refused(tmp_path):
    speech = Encoder("speech", "visual", str(save_wavlm(tmp_path / "wavlm")))
    data = corpus(visual=[write_pictures(tmp_path / "a", [flat(1)])])
    with pytest.raises(UserError, match="a model of type wavlm; expected a model of type clip"):
        extract(data, speech, tmp_path / "store", "cpu")


def test_damaged_pictures_leave_nothing(tiny, tmp_path):
    paths = [write_pictures(tmp_path / str(n), [flat(9)] * 2) for n in range(3)]
    damaged = Path(paths[1] / "1.png")
    damaged.write_bytes(damaged.read_bytes()[:50])
    with (
        warnings.catch_warnings(),
        pytest.raises(UserError, match=r"1\.png: found 50 bytes that are no picture"),
    ):
        extract(corpus(visual=paths), tiny, tmp_path / "features" / "store", "cpu")
    assert not (tmp_path / "features" / "store").exists()
