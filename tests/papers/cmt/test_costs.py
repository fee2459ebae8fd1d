"""CMT's costs: products as PyTorch counts them, weights as transformers has them, printed sums."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from msalib.models import cmt, recipes
from msalib.papers.cmt import costs
from msalib.papers.cmt.costs import HUBERT, MINILM, ROBERTA, WHISPER
from tests.encoders.lazy import transformers


def counted(run) -> float:
    """Return the products of ``run`` as PyTorch counts them, from shapes alone."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run()
    return counter.get_total_flops() / 2


def large_hubert():
    return transformers.HubertModel(
        transformers.HubertConfig(
            hidden_size=1024,
            num_hidden_layers=24,
            num_attention_heads=16,
            intermediate_size=4096,
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
            conv_bias=True,
            attn_implementation="eager",
        )
    )


def text(kind: str, **sizes):
    config = getattr(transformers, f"{kind}Config")(**sizes, attn_implementation="eager")
    return getattr(transformers, f"{kind}Model")(config)


def roberta():
    sizes = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
    sizes |= {"intermediate_size": 4096, "vocab_size": 50265, "type_vocab_size": 1}
    return text("Roberta", **sizes, max_position_embeddings=514)


def minilm():
    sizes = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
    return text("Bert", **sizes, intermediate_size=1536)


def whisper():
    config = transformers.WhisperConfig(
        d_model=384,
        encoder_layers=4,
        encoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_layers=0,
        attn_implementation="eager",
    )
    return transformers.WhisperModel(config).encoder


@pytest.mark.parametrize(
    ("encoder", "build", "inputs", "steps"),
    [
        (HUBERT, large_hubert, lambda: torch.empty(1, 16_000 * 10), 500),
        (ROBERTA, roberta, lambda: torch.ones(1, 45, dtype=torch.long), 45),
        (MINILM, minilm, lambda: torch.ones(1, 9, dtype=torch.long), 9),
        (WHISPER, whisper, lambda: torch.empty(1, 80, 3000), 90),
    ],
    ids=["hubert", "roberta", "minilm", "whisper"],
)
def test_weights_and_products_of_encoders_are_those_of_transformers(encoder, build, inputs, steps):
    with torch.device("meta"), torch.no_grad():
        model = build().eval()
        products = counted(lambda: model(inputs()))
    assert sum(p.numel() for p in model.parameters()) == encoder.weights
    assert encoder.products(steps) == pytest.approx(products, rel=0.005)


def test_products_and_weights_of_streams_are_those_of_the_model():
    recipe = recipes.load("cmt", "release", "full", "raw-spoken")["model"]
    streams = cmt.Streams(cmt.Config(**recipe), {cmt.SOUND: 64, cmt.TEXT: 64})
    outputs = {cmt.SOUND: torch.randn(1, 23, 64), cmt.TEXT: torch.randn(1, 9, 64)}
    valid = {m: torch.ones(x.shape[:2], dtype=torch.bool) for m, x in outputs.items()}
    with torch.no_grad():
        products = counted(lambda: streams(outputs, outputs, valid))
    assert costs.fused(recipe["blocks"], 64, 23, 9) == products
    ours = costs.ours()
    mapped = cmt.Streams(cmt.Config(**recipe), {cmt.SOUND: 384, cmt.TEXT: 384})
    assert ours.weights == sum(p.numel() for p in mapped.parameters())


def test_the_paper_pretrains_on_so_many_pairs_and_prints_these_sizes():
    for size, units in ((costs.BASE_SIZE, (64, 703)), (costs.LARGE_SIZE, (128, 767))):
        assert size.pairs == 25_600_000
        assert size.passes == pytest.approx(91.0, abs=0.05)
        both = size.weights, size.weights + size.encoder_weights
        assert tuple(n // 2**20 for n in both) == units


def test_exhibits_add_the_trainings_of_the_specification():
    counts = costs.trainings()
    assert {name: n["MOSEI"] for name, n in counts.items()} == {
        "Table 1": 0,
        "Table 2": 5,
        "Table 4": 5,
        "Table 3": 0,
        "Fig. 2": 3,
        "Fig. 3": 6,
        "Fig. 4": 3,
    }
    assert counts["Table 1"]["IEMOCAP"] == 25
    assert sum(n["MOSEI"] for n in counts.values()) == 22
    assert costs.pretrainings() == {"PT": 2, "TAPT": 4}


def test_what_is_stored_is_encoded_once():
    one = costs.ours()
    often = one._replace(stored=False)
    encoded = one.encoded(one.corpus, 1 + one.variants)
    assert often.pretrained() - one.pretrained() == (one.pairs - one.corpus.count) * encoded
    few = one._replace(updates=3, batch=2)  # six pairs of 1,500 clips: no more are encoded
    assert few.pretrained() == 6 * encoded + 18 * one.streamed(one.corpus)


def test_hours_are_operations_over_what_a_card_reaches():
    assert costs.hours(1.8e15, rate=1e12, share=0.5) == pytest.approx(2.0)
    table = costs.pretraining(rate=1e12, share=0.5, card="card of mine").frame
    products = costs.BASE_SIZE.pretrained()
    (shown,) = table.loc[table["pretraining"] == "time on one card of mine", "CMT BASE"]
    assert shown == f"{products * 2 / 0.5e12 / 3600:,.1f} h"


def test_tables_have_a_column_for_every_scale_and_a_row_for_every_exhibit():
    table = costs.pretraining()
    assert list(table.frame.columns[1:]) == ["CMT BASE", "CMT LARGE", "here, spoken control"]
    cells = table.frame.set_index("pretraining")
    assert cells.loc["passes over them"].tolist() == ["91.0", "91.0", "32.0"]
    assert cells.loc["weights of the streams"].tolist()[:2] == ["67.2 M", "134.4 M"]
    assert "40% of 989 x 10^12" in table.caption
    tuned = costs.fine_tuning(seeds=3)
    assert tuned.frame["exhibit"].tolist() == [*costs.trainings(), "all"]
    assert tuned.frame.iloc[-1].tolist()[1:3] == ["25", "22"]
    assert "of 25 epochs" in tuned.caption
    one, three = (costs.fine_tuning(seeds=n).frame.iloc[-1, -1] for n in (1, 3))
    hours = [float(text.removesuffix(" h")) for text in (one, three)]
    assert hours[1] == pytest.approx(3 * hours[0], rel=0.02)
