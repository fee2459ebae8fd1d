"""The command ``msalib encode`` beside other processes."""

from msalib import encoders
from msalib.base import files
from msalib.commands import runs
from tests.encoders.tiny import save_bert
from tests.factory import write_pack


def test_who_makes_a_store_holds_its_lock_and_who_finds_one_needs_none(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path / "features"))
    write_pack(tmp_path / "data" / "mosi")
    model, held = save_bert(tmp_path / "bert"), []

    def encode(corpus, encoder, *, preset, refresh, **_):
        folder = encoders.store_folder(corpus.name, encoder, preset)
        with files.reserved(folder, wait=False) as free:
            held.append(not free)
        folder.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(encoders, "encode", encode)
    runs.encode("mosi", str(model))
    runs.encode("mosi", str(model))
    runs.encode("mosi", str(model), refresh=True)
    assert held == [True, False, True]
