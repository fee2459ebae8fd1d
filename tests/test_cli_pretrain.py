"""The command ``msalib pretrain``: what it refuses, and in which words."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "paper 'nonsense': found no runs of it"),
        (["uegd"], "choice 'pretraining' of uegd: found no choice of pretraining in its recipe"),
        (["cmt", "--choice", "size=2"], "found no choice of size in its recipe"),
        (["cmt", "--kind", "all"], "pretraining of cmt: found pretraining: Input should be 'none'"),
        (["cmt", "--kind", "none"], "pretraining of cmt: found a kind without stages"),
        (["cmt", "--choice", "family=tfn"], "found no choice of family in its recipe"),
        (["cmt", "--choice", "blocks=many"], "pretraining of cmt: found blocks: Input should be"),
        (["cmt", "--choice", "blocks"], "--choice blocks: found no value"),
        (["cmt", "-p", "encoder", "minilm"], "found no encoder of the acoustic modality"),
    ],
)
def test_pretrain_refuses_what_it_cannot_do(
    msalib,
    arguments,
    message,
):
    status, _, error = msalib("pretrain", *arguments, "-p", "dataset", "raw-spoken")
    assert status == 2
    assert message in error
