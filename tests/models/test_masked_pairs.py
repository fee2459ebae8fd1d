"""Masked pairs: what is hidden, who guesses it, and what a stream may look at."""

import pytest
import torch
from torch.nn import functional

from msalib.models import cmt, recipes
from msalib.models.masked_pairs import (
    SOUND,
    TEXT,
    UNHIDDEN,
    MaskedPairs,
    Pairs,
    guessed,
    hide_frames,
    hide_tokens,
)

MASK, SPECIAL, VOCABULARY = 4, 3, 1000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def hidden(ids: torch.Tensor, share: float = 0.15, seed: int = 0):
    return hide_tokens(
        ids,
        ids == SPECIAL,
        share=share,
        mask=MASK,
        vocabulary=VOCABULARY,
        generator=generator(seed),
    )


# --- what is hidden -----------------------------------------------------------------------------


def test_tokens_are_drawn_with_their_share_and_80_10_10():
    ids = torch.randint(5, VOCABULARY, (40_000,), generator=generator(1))
    changed, targets = hidden(ids)
    chosen = targets != UNHIDDEN
    assert chosen.float().mean() == pytest.approx(0.15, abs=0.006)
    assert torch.equal(targets[chosen], ids[chosen])
    assert torch.equal(changed[~chosen], ids[~chosen])
    masked, kept = changed[chosen] == MASK, changed[chosen] == ids[chosen]
    assert masked.float().mean() == pytest.approx(0.8, abs=0.02)
    assert kept.float().mean() == pytest.approx(0.1, abs=0.015)


def test_special_tokens_stay_and_a_short_text_has_one_to_guess():
    ids = torch.tensor([SPECIAL, 7, 8, SPECIAL])
    for seed in range(30):
        changed, targets = hidden(ids, share=0.001, seed=seed)
        assert (targets != UNHIDDEN).tolist() in ([False, True, False, False],) or (
            (targets != UNHIDDEN).tolist() == [False, False, True, False]
        )
        assert changed[[0, 3]].tolist() == [SPECIAL, SPECIAL]
    changed, targets = hidden(torch.tensor([SPECIAL, SPECIAL]))
    assert changed.tolist() == [SPECIAL, SPECIAL]
    assert targets.tolist() == [UNHIDDEN, UNHIDDEN]


def spans(row: torch.Tensor) -> list[int]:
    """Return the lengths of runs of hidden frames."""
    text = "".join("x" if hidden else " " for hidden in row.tolist())
    return [len(part) for part in text.split()]


def test_frames_are_hidden_in_spans_that_begin_with_their_share():
    lengths = torch.full((300,), 400)
    away = hide_frames(lengths, starts=0.075, span=10, least=2, generator=generator())
    # A frame stays if none of ten frames began a span.
    assert away.float().mean() == pytest.approx(1 - (1 - 0.075) ** 10, abs=0.02)
    inside = [length for row in away for length in spans(row)[:-1]]
    assert min(inside) == 10  # only the last span of a clip may be cut


def test_every_clip_has_two_spans_and_nothing_beyond_its_end():
    lengths = torch.tensor([30, 12, 3, 1])
    for seed in range(50):
        away = hide_frames(lengths, starts=0.0, span=4, least=2, generator=generator(seed))
        assert away.sum(1)[0] in range(5, 9)  # two spans, which may overlap
        assert (away.sum(1) >= torch.tensor([5, 3, 2, 1])).all()
        beyond = torch.arange(away.shape[1]) >= lengths[:, None]
        assert not (away & beyond).any()


def test_the_same_generator_hides_the_same():
    lengths = torch.tensor([30, 12])
    how = {"starts": 0.1, "span": 3, "least": 2}
    assert torch.equal(
        hide_frames(lengths, **how, generator=generator()),
        hide_frames(lengths, **how, generator=generator()),
    )


# --- who guesses --------------------------------------------------------------------------------


def heads(seed: int = 0) -> MaskedPairs:
    torch.manual_seed(seed)
    recipe = recipes.load("cmt", "release", "full", "raw-spoken")
    small = {"width": 8, "heads": 2, "blocks": 2, "deviation": 0.4, "pretraining": "pt"}
    plan = cmt.pretraining(cmt.Config(**recipe["model"] | small), cmt.Training(**recipe["train"]))
    streams = plan.build({SOUND: 6, TEXT: 5})
    return MaskedPairs(streams, plan.masking, width=8, vocabulary=50, codewords=7).eval()


def pairs(seed: int = 0) -> Pairs:
    g = generator(seed)
    heard = torch.arange(9) < torch.tensor([9, 5])[:, None]
    spoken = torch.arange(4) < torch.tensor([3, 4])[:, None]
    tokens = torch.full((2, 4), UNHIDDEN)
    tokens[0, 1], tokens[1, 2] = 11, 12
    units = torch.randint(7, (2, 9), generator=g).masked_fill(~heard, UNHIDDEN)
    units[:, :2] = UNHIDDEN
    return Pairs(
        words=torch.randn(2, 4, 5, generator=g),
        masked=torch.randn(2, 4, 5, generator=g),
        spoken=spoken,
        tokens=tokens,
        sound=torch.randn(2, 9, 6, generator=g),
        heard=heard,
        units=units,
    )


def test_losses_are_those_of_the_definition():
    model, batch = heads(), pairs()
    found = model(batch)
    project = model.streams.project
    clean = {SOUND: project[SOUND](batch.sound), TEXT: project[TEXT](batch.words)}
    away = (batch.units != UNHIDDEN)[..., None]
    starts = {
        SOUND: clean[SOUND] * ~away + model.hidden * away,
        TEXT: project[TEXT](batch.masked),
    }
    states = model.streams(starts, clean, {SOUND: batch.heard, TEXT: batch.spoken})
    tokens = model.tokens(states[TEXT][-1][[0, 1], [1, 2]])
    torch.testing.assert_close(found.text, functional.cross_entropy(tokens, torch.tensor([11, 12])))
    frames = states[SOUND][-1][batch.units != UNHIDDEN]
    cosines = functional.cosine_similarity(
        model.guess(frames)[:, None], model.codewords.weight[None], dim=-1
    )
    wanted = batch.units[batch.units != UNHIDDEN]
    torch.testing.assert_close(found.sound, functional.cross_entropy(cosines / 0.1, wanted))
    torch.testing.assert_close(found.loss, found.text + found.sound)


def test_a_stream_guesses_from_its_masked_self_and_the_other_clean():
    """What is hidden of one stream reaches neither its own guesses nor those of the other."""
    model, batch = heads(), pairs()
    before = model(batch)
    away = (batch.units != UNHIDDEN)[..., None]
    other_sound = model(batch._replace(sound=torch.where(away, batch.sound + 3, batch.sound)))
    torch.testing.assert_close(other_sound.sound, before.sound)  # hidden frames are unseen
    assert not torch.allclose(other_sound.text, before.text)  # but words may hear them
    other_words = model(batch._replace(words=batch.words + 3))
    torch.testing.assert_close(other_words.text, before.text)  # clean words are for sound alone
    assert not torch.allclose(other_words.sound, before.sound)
    other_masked = model(batch._replace(masked=batch.masked + 3))
    torch.testing.assert_close(other_masked.sound, before.sound)


def test_padding_changes_no_loss():
    model, batch = heads(), pairs()
    longer = Pairs(
        *(
            functional.pad(x, (0, 0, 0, 3) if x.dim() == 3 else (0, 3), value=fill)
            for x, fill in zip(
                batch, (9.0, 9.0, False, UNHIDDEN, 9.0, False, UNHIDDEN), strict=True
            )
        )
    )
    for whole, one in zip(model(longer), model(batch), strict=True):
        torch.testing.assert_close(whole, one)


def test_other_outputs_replace_what_the_other_stream_sees():
    model, batch = heads(), pairs()
    same = model(batch, outputs={SOUND: batch.sound, TEXT: batch.words})
    assert [*same] == [*model(batch)]
    silent = model(batch, outputs={SOUND: batch.sound * 0, TEXT: batch.words * 0})
    assert not torch.allclose(silent.text, same.text)
    assert not torch.allclose(silent.sound, same.sound)


def test_nothing_to_guess_costs_nothing():
    loss, right = guessed(torch.zeros(0, 5, requires_grad=True), torch.tensor([[UNHIDDEN]]))
    assert loss.item() == right.item() == 0
    loss.backward()


def test_a_batch_says_how_much_is_hidden():
    batch = pairs()
    assert (batch.hidden("text"), batch.hidden("sound")) == (2, 7 + 3)
