"""Pages in children of one warm process: equal to papermill's, stopped in time, and never left."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial

import nbformat
import psutil
import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.book import notebooks, runner, warm
from msalib.evidence.settings import plan
from tests.processes import alive, wait_for

pytestmark = pytest.mark.skipif(not warm.CAN_FORK, reason="pages have processes of their own")

PLAN, NOTEBOOKS = plan(), paths.NOTEBOOKS

OUTPUTS = [
    "print('first'); seeds",
    "import sys, warnings\nwarnings.warn('careful')\nprint('aside', file=sys.stderr)",
    "from myst_nb import glue\nglue('text', 'a *text*', display=False)\nglue('number', 0.5)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('below')",
    "from IPython.display import HTML, display\nshown = display('one', display_id='a')\n"
    "display(HTML('<b>bold</b>'), {'a': 1})",
    "display('two', display_id='a', update=True)\nNone",
    "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    "import logging\nlogging.getLogger('paper').warning('logged')",
    "# nothing but a comment",
    "await __import__('asyncio').sleep(0, 5)",
    "_, Out[3], In[3], get_ipython().__class__.__name__, __name__",
    "from msalib.data import describe\nfrom msalib.data import datasets\ndescribe.contents",
]
FAILS = ["def fail(name):\n    return {}[name]\nfail('a')"]


@pytest.fixture
def one_warm(tree, tmp_path):
    """What runs a notebook in a child of a warm process; ``run.traces`` has what it was made of."""
    environment = notebooks.environment(tmp_path) | {paths.QUICK_RECORDS: str(tmp_path / "quick")}
    with warm.Warm([], cwd=tree, env=environment) as process:

        def execute(source, working, parameters, timeout_s):
            files = {"source": source.relative_to(tree), "working": working}
            files["trace"] = tmp_path / "trace.json"
            job = {"page": "a page", "parameters": parameters}
            process.run(job | {key: str(value) for key, value in files.items()}, timeout_s)

        yield partial(notebooks.run_notebook, execute=execute)


def without_times(path) -> str:
    content = json.loads(path.read_text())
    about = content["metadata"]["papermill"]
    for key in ("start_time", "end_time", "duration", "output_path"):  # of a failed copy
        assert about.pop(key)
    content["metadata"].get("msalib", {}).pop("commit", None)  # the next one may come meanwhile
    for cell in content["cells"]:
        cell.pop("id")
        cell["metadata"].pop("execution", None)
        for key in ("start_time", "end_time", "duration"):
            cell["metadata"].get("papermill", {}).pop(key, None)
        cell["outputs"] = list(joined(cell.get("outputs", [])))
    return re.sub(r"\S*ipykernel_\d+", "", json.dumps(content, indent=1, sort_keys=True))


def joined(outputs):
    """Outputs in which a stream that was sent in pieces is one."""
    last = None
    for output in outputs:
        if last and output.get("name") and output.get("name") == last.get("name"):
            last["text"] += output["text"]
        else:
            last = output
            yield output


@pytest.mark.parametrize("cells", [OUTPUTS, [*OUTPUTS[:1], *FAILS, "1"]], ids=["outputs", "error"])
def test_a_page_equals_that_of_papermill_but_for_times(write_notebook, one_warm, cells):
    write_notebook("paper/page", "seeds = 2\nrate = 0.5", *cells)
    copies, said = [], []
    for run in (notebooks.run_notebook, one_warm):
        try:
            copies.append(run("paper/page", {"seeds": 3}))
        except UserError as error:
            said.append(str(error))
            copies.append(paths.ROOT / "runs" / "failed" / "page.ipynb")
        copies[-1] = without_times(copies[-1])
    assert copies[0] == copies[1]
    assert len(said) != 1 and len(set(said)) <= 1


@pytest.mark.parametrize("notebook", ["uegd/fig6", "sugrm/table8"])
def test_a_page_of_the_book_equals_that_of_papermill(tree, notebook, monkeypatch, request):
    """Figures, tables, verdicts and glued texts of committed records."""
    monkeypatch.delenv("MSALIB_RECORDS")
    one_warm = request.getfixturevalue("one_warm")
    shutil.copytree(NOTEBOOKS, paths.NOTEBOOKS)
    parameters = next(given for name, given in PLAN if name == notebook)
    runs = notebooks.run_notebook, one_warm
    first, second = (without_times(run(notebook, parameters)) for run in runs)
    assert first == second


def test_a_page_has_no_threads_and_names_of_another(write_notebook, one_warm):
    show = (
        "import os, torch\n'mine' in globals(), torch.get_num_threads(), os.getpid() == os.getpid()"
    )
    write_notebook("first", "seeds = 1", "mine = 1", show)
    write_notebook("second", "seeds = 1", show)
    shown = [
        nbformat.read(one_warm(name, {}), as_version=4).cells[-1].outputs[0].data["text/plain"]
        for name in ("first", "second")
    ]
    assert [text.split(",")[0] for text in shown] == ["(True", "(False"]


def test_a_page_that_dies_or_has_no_end_is_told_and_leaves_nothing(
    write_notebook, one_warm, tmp_path
):
    start = "import os, pathlib, subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
    start += (
        f"pathlib.Path({str(tmp_path / 'numbers')!r}).write_text(f'{{os.getpid()}} {{child.pid}}')"
    )
    write_notebook("dies", "seeds = 1", start, "os._exit(3)")
    write_notebook("sleeps", "seeds = 1", start, "time.sleep(600)")
    for name, complaint in (("dies", "Kernel died"), ("sleeps", "no end after 5 s")):
        with pytest.raises(UserError, match=complaint):
            one_warm(name, {}, timeout_s=5)
        numbers = (tmp_path / "numbers").read_text().split()
        wait_for(lambda: not alive(numbers))  # noqa: B023 - called at once
    write_notebook("lives", "seeds = 1", "seeds")
    assert one_warm("lives", {}).exists()


def test_the_warm_process_ends_with_its_block(tree, tmp_path):
    with warm.Warm([], cwd=tree, env=dict(os.environ)) as process:
        number = process.child.pid
        assert psutil.pid_exists(number)
    assert not alive([str(number)])


KILLED = """
import sys
from pathlib import Path
from msalib.base import paths
paths.ROOT, paths.BOOK, paths.NOTEBOOKS, paths.EXECUTED = map(Path, sys.argv[1:5])
from msalib.book.runner import runner
page = "waits", {"seeds": 1}
with runner([page]) as started:
    started.run([page])
"""


def test_pages_end_with_the_command_and_leave_nothing(write_notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "temporary"))
    start = "import os, pathlib, subprocess, time\nchild = subprocess.Popen(['sleep', '600'])"
    numbers = "f'{os.getppid()} {os.getpid()} {child.pid}'"
    note = f"pathlib.Path('numbers').write_text({numbers})"
    write_notebook("waits", "seeds = 1", start, note, "time.sleep(600)")
    folders = (paths.ROOT, paths.BOOK, paths.NOTEBOOKS, paths.EXECUTED)
    paths.BOOK.mkdir(exist_ok=True)
    (paths.BOOK / "notebooks.yaml").write_text("[]")
    command = subprocess.Popen([sys.executable, "-c", KILLED, *map(str, folders)])
    wait_for((tmp_path / "numbers").exists)
    command.kill()
    command.wait()
    numbers = (tmp_path / "numbers").read_text().split()
    wait_for(lambda: not alive(numbers) and not list((tmp_path / "temporary").iterdir()))
    assert not (tmp_path / "runs").exists() and not list(paths.EXECUTED.rglob("*.ipynb"))


def test_a_page_may_have_a_process_of_its_own(write_notebook, tree, tmp_path):
    write_notebook("paper/page", "seeds = 2", *OUTPUTS)
    environment = notebooks.environment(tmp_path)
    (tmp_path / "alone").mkdir()
    with warm.Alone([], cwd=tree, env=environment) as process:
        files = {"source": "notebooks/paper/page.ipynb", "working": str(tmp_path / "alone/page")}
        files["trace"] = str(tmp_path / "trace.json")
        process.run({"page": "a page", "parameters": {"seeds": 3}, **files}, timeout_s=60)
    assert len(nbformat.read(files["working"], as_version=4).cells) == len(OUTPUTS) + 2
    made_of = json.loads((tmp_path / "trace.json").read_text())["files"]
    assert any(name.endswith("msalib/data/describe.py") for name in made_of)


def test_imports_of_pages_are_found(write_notebook):
    write_notebook(
        "a", "seeds = 1", "import numpy as np\nfrom msalib.base import stats", "if 1:\n  1"
    )
    write_notebook("b", "seeds = 1", "from msalib.base import stats", "no python (")
    statements = runner._imports([("a", {}), ("b", {})])
    assert statements == ["import numpy as np", "from msalib.base import stats"]
