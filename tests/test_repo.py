"""The repository itself: pins, imports, names in the README, and what must not be in it."""

import ast
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from msalib.base import paths
from msalib.book import notebooks
from msalib.commands import arguments
from msalib.data.tasks import Regression
from msalib.encoders.registry import SMALL
from msalib.evidence import changes, registry, settings, verdicts
from msalib.evidence.metric_sums import point
from msalib.evidence.settings import plan
from msalib.pages import readme, readme_picture
from msalib.runs import filed, records
from tests.test_layout import tracked

ROOT = paths.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text()

# Paths of users' machines, and hosts of package registries; written so as not to match themselves.
MACHINE = re.compile(r"(?<![\w.~-])/(?:home|root|work|Users)/\w")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|download\.pytorch\.org|conda\.anaconda\.org|-index-ur[l]"
)


@pytest.fixture
def committed(monkeypatch):
    """The records of the repository in the place of the tests' own."""
    monkeypatch.delenv("MSALIB_RECORDS")


# --- pins ---------------------------------------------------------------------------------------


def pins() -> dict[str, str]:
    """Package -> version of requirements.txt; anything but a pin is an error."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {}
    for requirement in requirements:
        (only,) = requirement.specifier
        assert only.operator == "==", requirement
        versions[canonicalize_name(requirement.name)] = only.version
    assert len(versions) == len(requirements)
    return versions


def test_every_dependency_is_pinned_within_its_range():
    wanted = PROJECT["dependencies"] + [
        line
        for extra in ("book", "lexicon", "media", "dev")
        for line in PROJECT["optional-dependencies"][extra]
    ]
    pinned = pins()
    for requirement in map(Requirement, wanted):
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_what_the_package_imports_is_a_dependency():
    """At the top or inside a function; pip gives a package more names than its own."""
    named = {"sklearn": "scikit-learn", "yaml": "pyyaml", "huggingface_hub": "transformers"}
    named |= {"tokenizers": "transformers", "cv2": "opencv-python-headless"}
    wanted = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    wanted |= {
        canonicalize_name(Requirement(line).name)
        for extra in ("book", "lexicon", "media", "opensmile", "mtcnn")
        for line in PROJECT["optional-dependencies"][extra]
    }
    imported = set()
    for path in (ROOT / "msalib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            imported |= {name.split(".")[0] for name in names}
    foreign = imported - set(sys.stdlib_module_names) - {"msalib"}
    assert {canonicalize_name(named.get(name, name)) for name in foreign} <= wanted


def test_conda_installs_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    # pip reads these lines as a file of requirements, in which --no-deps is no option.
    assert pip == {"pip": ["-r requirements.txt", "-e ."]}
    (python,) = [line.split("=")[1] for line in conda if line.startswith("python=")]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)


def test_every_package_folder_is_installed():
    """setuptools finds packages by their ``__init__``."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert setuptools["packages"]["find"]["include"] == ["msalib*"]
    folders = {path.parent for path in (ROOT / "msalib").rglob("*.py")}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_every_file_that_is_no_module_is_installed():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    installed = {
        path
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    data = {p for p in tracked() if p.is_relative_to(ROOT / "msalib") and p.suffix != ".py"}
    assert data == {p for p in installed if p.is_file()}


# --- imports ------------------------------------------------------------------------------------


HEAVY = {"torch", "transformers", "matplotlib", "sklearn", "papermill", "scipy", "pandas"}
HEAVY |= {"av", "cv2", "h5py", "librosa", "soundfile"}


@pytest.mark.parametrize(
    ("module", "light"),
    [
        ("msalib", HEAVY),
        ("msalib.__main__", HEAVY),
        ("msalib.evidence.verdicts", HEAVY - {"pandas"}),
    ],
)
def test_what_is_read_first_answers_without_heavy_libraries(module, light):
    code = f"import sys, {module}; print(*{light} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_module_says_what_it_is_for():
    for path in (ROOT / "msalib").rglob("*.py"):
        assert path.read_text().startswith('"""'), path


# --- contents -----------------------------------------------------------------------------------


def test_nothing_names_a_machine_or_a_registry():
    for path in tracked():
        text = path.read_bytes().decode(errors="replace")
        for pattern in (MACHINE, REGISTRY):
            found = pattern.search(text)
            assert found is None, f"{path.relative_to(ROOT)}: {found[0]}"
        assert str(ROOT) not in text, path


def test_nothing_is_large_and_no_features_are_committed():
    """What is licensed stays with its owners: no transcripts, no features, no weights but ours."""
    for path in tracked():
        assert path.stat().st_size < 700_000, path  # labels of every epoch take the most
        own = path.is_relative_to(SMALL) and path.suffix == ".safetensors"
        assert own or path.suffix not in (".npz", ".npy", ".pkl", ".pt", ".safetensors"), path
        assert path.name != "utterances.csv"


def test_committed_records_lie_where_their_specification_says(committed):
    folder = paths.BOOK / "records"
    data, counted = set(), set()
    for paper in registry.known():
        study = settings.study(paper) + settings.beside(paper)
        for path in (p for p in tracked() if p.is_relative_to(folder / paper)):
            record = records.read(path)
            spec = record.spec
            assert spec.path() == path
            setting = records.Setting(spec.dataset, spec.encoder, spec.preset, spec.profile)
            assert spec.profile == "full"  # quick ones are no evidence
            assert spec.setting == "leaky" or setting in study  # leaky ones count for nothing
            data.add((spec.dataset, record.provenance.data))
            counted.add(paper)
    assert counted >= {"uegd", "sugrm"}
    assert len(data) == len({dataset for dataset, _ in data})  # one version of each data set


def test_committed_correlations_are_those_of_the_predictions(committed):
    folders, undefined = [paths.BOOK / "records" / paper for paper in registry.known()], 0
    for path in (p for p in tracked() if any(map(p.is_relative_to, folders))):
        record = filed.Filed(path)
        for part, clips in record.predictions.items():
            if "corr" in record.metrics[part]:
                corr = point(Regression(), "corr", clips.label, clips.prediction[None, None])[0, 0]
                recorded = record.metrics[part]["corr"]
                assert (recorded is None) == np.isnan(corr), path
                assert recorded is None or recorded == pytest.approx(corr, abs=1e-9), path
                undefined += recorded is None
    assert undefined >= 10


def test_the_newest_version_has_todays_verdicts(committed):
    """Otherwise raise the version in CITATION.cff, then record the verdicts: make verdicts."""
    every = changes.snapshots()
    assert every[-1].version == changes.version()
    assert every[-1].claims == changes.today()


def test_the_results_in_the_readme_are_those_of_the_records(committed):
    weighed = {paper: verdicts.weigh(paper) for paper in registry.known()}
    assert readme.written(README, readme.results(weighed)) == README, "run make readme"
    assert readme.PICTURE.read_text() == readme_picture.drawing(weighed), "run make readme"


# --- names --------------------------------------------------------------------------------------


def test_the_map_names_what_is_there():
    tree = README.split("## Map")[1].split("```")[1]
    folder = ROOT
    for line in filter(None, tree.splitlines()):
        names = re.match(r"\s*(\S+(?: \S+)*)", line)[1].split()
        inside = line.startswith("  ")
        folder = folder if inside else ROOT / names[0]
        assert folder.is_dir(), line
        for name in names if inside else ():
            assert (folder / name).exists(), line


def test_every_relative_link_of_the_readme_leads_somewhere():
    for link in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / link).exists(), link


def test_the_commands_of_make_are_there():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:^|`)make ([\w-]+)", README, re.MULTILINE))
    assert {"book", "test"} <= targets
    rules = [rule.replace("%", "*") for rule in re.findall(r"^([\w%-]+):", makefile, re.MULTILINE)]
    for target in targets:
        assert any(fnmatch(target, rule) for rule in rules), target


def written_commands() -> set[str]:
    """Every ``msalib run ...`` in the README, the pages and the notebooks."""
    texts = [README, *(p.read_text() for p in paths.BOOK.rglob("*.md"))]
    texts += [p.read_text() for p in paths.NOTEBOOKS.rglob("*.ipynb")]
    found = re.findall(r"^[ \"]*msalib (run [^\"\\#\n]+)", "\n".join(texts), re.MULTILINE)
    return {command.strip() for command in found}


def test_every_command_that_is_written_down_is_accepted():
    commands = written_commands()
    assert len(commands) >= 4
    for command in commands:
        _, notebook, *options = arguments.fold(command.split())
        given = dict(o.split("=", 1) for o in options if o not in ("-p", "--clean"))
        notebooks.resolve_parameters(notebook, given)


def test_every_notebook_of_the_book_is_there_with_its_parameters():
    pages = plan()
    for notebook, parameters in pages:
        notebooks.resolve_parameters(notebook, parameters)
    assert {notebook for notebook, _ in pages} == set(notebooks.available())
    assert pages[-1] == ("status", {})
