"""The command: every kind of bad input is one message and status 2."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest

from msalib.base import paths
from msalib.book import export, notebooks
from msalib.commands import arguments
from msalib.data import datasets as readers
from msalib.runs import records
from tests.encoders.tiny import change_weights, save_bert
from tests.factory import write_pack
from tests.sweep import small_control

COMMANDS = tuple(
    [
        "doctor",
        "encode",
        "run",
        "records",
        "pretrain",
        "train",
        "predict",
        "claims",
        "export",
        "book",
        "printed",
        "data",
    ]
)


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    monkeypatch.setenv("MSALIB_CLEAN", "")  # --clean sets it


@pytest.fixture
def few_data(monkeypatch):
    """Three data sets, the control a small one: to simulate all takes seconds."""
    names = ("control", "mosi", "mosi-leaky-unseen")
    few = {name: readers.DATASETS[name] for name in names}
    few["control"] = replace(few["control"], read=small_control)
    monkeypatch.setattr(readers, "DATASETS", few)


@pytest.fixture
def mosi(tmp_path, monkeypatch, few_data):
    """A pack of 40 clips in the place of MOSI."""
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    return write_pack(tmp_path / "data" / "mosi")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A repository of its own for notebooks that are run, with the sources of UEGD."""
    shutil.copytree(paths.NOTEBOOKS / "uegd", tmp_path / "bench" / "notebooks" / "uegd")
    monkeypatch.setenv("PYTHONPATH", str(paths.ROOT))
    monkeypatch.setattr(paths, "ROOT", tmp_path / "bench")
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "bench" / "notebooks")
    monkeypatch.setattr(paths, "EXECUTED", tmp_path / "bench" / "book" / "executed")
    return tmp_path / "bench"


def spoil(folder, values):
    """Replace the acoustic features of a pack."""
    write_pack(folder, arrays={"audio_opensmile": values})


# --- help ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)])
def test_help_reads_well(msalib, command):
    status, out, error = msalib(*command, "--help")
    assert (status, error) == (0, "")
    assert out.startswith("Usage: ")
    assert "--help" in out
    assert max(map(len, out.splitlines())) <= 100


def test_help_names_every_command(msalib):
    _, out, _ = msalib("--help")
    lines = out.split("Commands:")[1].splitlines()
    assert [line.split()[0] for line in lines if re.match(r"  \w", line)] == list(COMMANDS)


@pytest.mark.parametrize("command", [(), ("data",), ("printed",)])
def test_the_help_of_no_command_is_cut(msalib, command):
    assert "..." not in msalib(*command, "--help")[1].split("Commands:")[1]


def test_the_version_is_told(msalib):
    status, out, error = msalib("--version")
    assert (status, error) == (0, "")
    assert out.startswith(f"msalib {version('msalib')} (commit ") and "torch " in out


def test_notebooks_and_their_parameters_are_listed(msalib):
    status, out, _ = msalib("run", "--list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[:-1]] == notebooks.available()
    status, out, _ = msalib("run", "uegd/table2", "--help")
    assert status == 0 and "Parameters of uegd/table2 (Table 2" in out
    for name, value in notebooks.resolve_parameters("uegd/table2", {}).items():
        assert f"-p {name} {value}" in out


def test_a_notebook_must_be_named(refused):
    assert "List them: msalib run --list" in refused("run")


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "msalib", "encode", "moshi"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "msalib: data set 'moshi': found no such data set; expected one of "
        f"{', '.join(readers.DATASETS)}. Did you mean mosi or mosei? "
        "List them: msalib data; add your own: msalib data add PATH.\n"
    )


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run uegd/fig7", "notebook 'uegd/fig7': found no such notebook; expected one of"),
        ("run uegd/fig6 -p seed 5", "parameter 'seed' of notebook uegd/fig6: found no such"),
        ("run uegd/fig6 -p seeds five", "parameter 'seeds': found 'five'"),
        ("run uegd/fig6 -p refresh perhaps", "parameter 'refresh': found 'perhaps'; expected true"),
        ("run uegd/fig6 -p dataset", "-p dataset: found no value; expected -p NAME VALUE"),
        ("run uegd/fig6 -p dataset -p seeds 5", "-p dataset: found no value"),
        ("run uegd/fig6 -p seeds 2 -p seeds 5", "-p seeds: found two values; expected one"),
        ("data add x --faces opencv2", "option --faces: found 'opencv2'; expected 'opencv', "),
        ("encode moshi", "data set 'moshi': found no such data set"),
        ("encode control", "data set 'control': found features that it comes with, no tr"),
        ("encode mosi", "MSALIB_DATA: found not set"),
        ("train raw --out m --features best", "features 'best': found no such choice"),
        ("train raw --out m --model sugrm", "model 'sugrm': found no contributions of its mod"),
        ("predict m --text good", "m: found no such folder; expected a folder that msalib train"),
        (
            "claims nonsense",
            "paper 'nonsense': found no claims of it; expected one of cmt, glomo, mmml",
        ),
    ],
)
def test_what_is_unknown_or_missing_is_refused(refused, arguments, message):
    assert refused(*arguments.split()).startswith(f"msalib: {message}")


def test_an_empty_name_is_no_paper(refused):
    assert refused("claims", "").startswith("msalib: paper '': found no claims of it")


@pytest.mark.parametrize("arguments", ["run uegd/fig6 -p", "nonsense", "data --nonsense"])
def test_a_command_that_cannot_be_read_is_refused(msalib, arguments):
    """By typer, with the usage."""
    status, out, error = msalib(*arguments.split())
    assert (status, out) == (2, "")
    assert error.count("Error: ") == 1
    assert "Traceback" not in error


@pytest.mark.parametrize("command", [("data",), ("encode", "mosi"), ("doctor",)])
def test_a_data_folder_that_is_not_there_is_told(msalib, monkeypatch, tmp_path, few_data, command):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "none"))
    status, out, error = msalib(*command)
    message = f"MSALIB_DATA: found {tmp_path / 'none'}, not a folder; expected the folder"
    assert message in (out if command == ("doctor",) else error)  # the doctor only reports
    assert status == (0 if command == ("doctor",) else 2)


def test_an_unknown_encoder_is_refused(refused, mosi):
    assert "encoder 'mini': found no such name and no such folder" in refused(
        "encode", "mosi", "mini"
    )


def test_an_unknown_device_is_refused(refused, mosi, tmp_path):
    model = save_bert(tmp_path / "bert")
    assert "parameter 'device': found 'tpu'" in refused("encode", "mosi", model, "--device", "tpu")
    assert not paths.features_folder().exists()


def test_a_truncated_file_of_features_is_told(msalib, refused, mosi):
    """The list goes on: what is wrong with a data set is its line."""
    content = (mosi / "features.npz").read_bytes()
    (mosi / "features.npz").write_bytes(content[: len(content) // 2])
    told = f"{mosi / 'features.npz'}: found not a readable feature file"
    status, out, error = msalib("data")
    assert (status, error) == (0, "")
    assert f"\nmosi: {told}" in out and "\nmosi-leaky-unseen: " in out.split(told)[1]
    assert told in refused("data", "--record")


def test_ids_without_features_are_told(msalib, mosi):
    write_pack(mosi, arrays={"id": np.array([f"other_{i}" for i in range(40)])})
    assert "found no features for 40 clips of the table, the first v0_0" in msalib("data")[1]


def test_values_that_are_not_finite_are_told_or_cleaned(msalib, mosi):
    values = np.ones((40, 3))
    values[7, 2] = np.nan
    spoil(mosi, values)
    told = msalib("data")[1]
    assert "found 1 values of audio_opensmile that are NaN or infinite" in told
    assert "--clean" in told
    status, out, _ = msalib("data", "--clean")
    assert status == 0
    assert "1 non-finite values replaced by zero" in out


def test_a_store_of_another_revision_is_refused_until_made_anew(refused, msalib, mosi, tmp_path):
    model = save_bert(tmp_path / "bert")
    command = ("encode", "mosi", model, "--device", "cpu")
    status, out, _ = msalib(*command)
    assert status == 0 and "features of 39 clips: " in out
    change_weights(model, lambda w: w["bert.embeddings.LayerNorm.bias"].add_(1))
    error = refused(*command)
    assert "meta.json: found bert revision " in error
    assert f"Make it anew: msalib encode mosi {model} --refresh" in error
    assert msalib(*command, "--refresh")[0] == 0
    assert msalib(*command)[0] == 0


# --- good input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "folded"),
    [
        ("-p dataset mosi", "-p dataset=mosi"),
        ("-p dataset=mosi", "-p dataset=mosi"),
        ("run x -p a 1 --clean -p b -2", "run x -p a=1 --clean -p b=-2"),
        ("-p a=1 -p b 2", "-p a=1 -p b=2"),
        ("-p a", "-p a"),
        ("-p", "-p"),
        ("-p a -p b 2", "-p a -p b=2"),
        ("claims uegd", "claims uegd"),
        ("", ""),
    ],
)
def test_a_parameter_may_be_two_words(given, folded):
    assert arguments.fold(given.split()) == folded.split()


def test_parameters_reach_the_notebook(msalib, monkeypatch):
    asked = []
    monkeypatch.setattr(
        notebooks,
        "run_notebook",
        lambda *arguments, folder: asked.append((*arguments, folder)) or "done.ipynb",
    )
    monkeypatch.setattr(export, "lines", lambda executed, width: [f"what {executed} shows"])
    parameters = ("-p", "dataset", "mosi", "-p", "video=a=b", "-p", "seeds", "5")
    status, out, _ = msalib("run", "uegd/fig4", *parameters)
    assert status == 0 and out.startswith("what done.ipynb shows\n\ndone.ipynb")
    given = {"dataset": "mosi", "video": "a=b", "seeds": "5"}
    assert asked == [("uegd/fig4", given, paths.ROOT / "runs")]


def test_data_lists_what_is_found_with_counts(msalib, mosi):
    status, out, error = msalib("data")
    assert (status, error) == (0, "")
    assert "mosi: CMU-MOSI, fingerprint " in out
    assert "  train: 20 clips in 5 videos" in out and "  test: 11 clips in 3 videos" in out
    assert "  dropped 1 clip: v9_3 (no label)" in out
    assert not records.records_folder().exists()


def test_data_without_the_folder_says_how_to_set_it(msalib, few_data):
    status, out, _ = msalib("data")
    assert status == 0
    assert "control: Simulated features, the paper's story, fingerprint " in out
    assert "mosi: CMU-MOSI: not found; set MSALIB_DATA to what holds mosi/" in out
    assert "test videos unseen by them: not found; set MSALIB_DATA to what holds mosi/" in out


def test_data_records_the_summary_of_real_data(msalib, mosi):
    assert msalib("data", "--record")[0] == 0
    (path,) = records.records_folder().rglob("*.json")
    assert path.name == "mosi.json"
    assert json.loads(path.read_text())["clips"] == {"train": 20, "valid": 8, "test": 11}


def test_doctor_reports_and_refuses_nothing(msalib, few_data):
    status, out, error = msalib("doctor")
    assert (status, error) == (0, "")
    for head in ("environment", "data", "encoders", "feature stores", "records"):
        assert f"{head}\n" in out
    assert "MSALIB_DATA is not set" in out
    assert "none; msalib encode mosi minilm makes one" in out


HEAD = "paper,exhibit,dataset,system,variant,metric,value,printed,note\n"


def test_printed_numbers_are_checked_whatever_is_found(msalib, tmp_path):
    """No entry is needed for a paper that has none; exit status 0 with findings."""
    rows = "new,table1,mosi,X,,acc5,40.1,40.1,\nnew,table1,mosi,X,,acc7,45.2,45.2,\n"
    (tmp_path / "new.csv").write_text(HEAD + rows)
    status, out, error = msalib("printed", "check", "--dir", tmp_path)
    assert (status, error) == (0, "")
    assert "impossible | new | bounds | Table 1, MOSI, X, Acc-7: 45.2 exceeds Acc-5 40.1" in out
    assert out.splitlines()[0].endswith(" | new.csv lines 3, 2")
    assert out.splitlines()[-1] == "1 finding in 2 printed numbers of 1 paper"
    status, out, error = msalib("printed", "check", "--dir", tmp_path, "--json")
    (finding,) = json.loads(out)
    about = [finding[name] for name in ("check", "severity", "paper")]
    assert about == ["bounds", "impossible", "new"]
    place = {"exhibit": "table1", "dataset": "mosi", "system": "X", "variant": ""}
    number = {"metric": "acc7", "printed": "45.2"}
    assert finding["cells"][0] == place | number | {"paper": "new", "file": "new.csv", "line": 3}


def test_the_papers_own_numbers_are_the_default(msalib):
    status, out, _ = msalib("printed", "check")
    assert status == 0
    assert "impossible | mmml | bounds | Table 6a, MOSEI, MMML v2 concat, Acc-7: 57.78" in out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "found no such folder; expected one CSV file per paper"),
        ("", "found an empty file"),
        (HEAD.replace("metric,", "") + "x,t,d,s,v,1,1,\n", "x.csv, line 1: found no column metric"),
        (HEAD + "x,t,d,s,,accuracy,1,1,\n", "x.csv, line 2: found metric 'accuracy'; expected one"),
        (HEAD + "x,t,d,s,,corr,much,0.3,\n", "x.csv, line 2: found"),
        (
            HEAD + "x,t,d,s,,mae,1,1,\n" * 2,
            "x.csv, line 3: found x, t, d, s, mae again, as in x.csv",
        ),
    ],
)
def test_bad_printed_numbers_are_refused(refused, tmp_path, text, complaint):
    if text is not None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "x.csv").write_text(text)
    assert complaint in refused("printed", "check", "--dir", tmp_path / "in", "--json")


# --- notebooks that refuse ----------------------------------------------------------------------


def test_a_refusal_inside_a_notebook_is_told_in_its_own_words(refused, bench, mosi):
    """Truncated features, met by the notebook's own process."""
    (mosi / "features.npz").write_bytes(b"PK")
    error = refused("run", "uegd/fig6", "-p", "dataset", "mosi")
    assert f"{mosi / 'features.npz'}: found not a readable feature file" in error
    assert not (bench / "book").exists()


def test_records_that_cannot_be_written_are_told(refused, bench, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "file"))
    error = refused("run", "uegd/table3", "-p", "seeds", "1")
    assert "found it cannot be written (Not a directory)" in error
    assert not (bench / "book").exists()
