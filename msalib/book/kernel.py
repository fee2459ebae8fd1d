"""Answer how the cells of a notebook run in this process: an engine of papermill without a kernel.

The shell is the one of IPython's kernel, so that a cell has the same outputs as there; what it
would send to a client is taken here.
"""

import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import papermill
from ipykernel.compiler import XCachingCompiler
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.session import Session
from nbclient import NotebookClient
from papermill.engines import Engine, papermill_engines
from traitlets.config import Config

ENGINE = "here"


def run(source: Path, working: Path, parameters: Mapping) -> None:
    """Execute a notebook in this process, into the file ``working``, as papermill does in another.

    Raises what papermill raises where a cell fails. To be called once in a process.
    """
    papermill_engines.register(ENGINE, Here)
    papermill.execute_notebook(
        source,
        working,
        parameters=parameters,
        engine_name=ENGINE,
        kernel_name="python3",
        progress_bar=False,
    )


class Here(Engine):
    """Papermill's engine that runs the cells of a notebook in this process."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **_):
        """Run the cells in order, up to the first that fails."""
        outputs = _Outputs(nb_man.nb)
        shell = _shell(outputs)
        for index, cell in enumerate(nb_man.nb.cells):
            nb_man.cell_start(cell, index)
            try:
                if cell.cell_type == "code" and cell.source.strip():
                    outputs.begin(cell, index, shell.execution_count)
                    if not shell.run_cell(cell.source, store_history=True).success:
                        nb_man.cell_exception(cell, index)
                        break
            finally:
                outputs.end()
                nb_man.cell_complete(cell, index)
        nb_man.nb.metadata["language_info"] = IPythonKernel.language_info


class _Outputs(Session):
    """Take the messages of a shell as outputs of the cell that runs."""

    def __init__(self, notebook):
        super().__init__()
        self.client, self.cell, self.index = NotebookClient(notebook), None, 0

    def begin(self, cell, index: int, count: int) -> None:
        """Take outputs for this cell, and what it writes as text."""
        self.cell, self.index = cell, index
        cell.execution_count = count
        self.client.clear_before_next_output = False
        self.streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (_Stream(self, name) for name in ("stdout", "stderr"))

    def end(self) -> None:
        """Take no more."""
        if self.cell is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = self.streams
            self.cell = None

    def send(self, stream, msg_or_type, content=None, parent=None, **_):
        """Add a message to the outputs of the cell instead of sending it."""
        message = msg_or_type
        if isinstance(message, str):
            message = self.msg(message, content, parent)
        if self.cell is not None:
            self.client.process_message(message, self.cell, self.index)
        return message


class _Stream(io.TextIOBase):
    """A text stream whose lines become an output when it is flushed."""

    encoding = "UTF-8"

    def __init__(self, outputs: _Outputs, name: str):
        self.outputs, self.name, self.parts = outputs, name, []

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Keep a text until the next flush."""
        self.parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Make an output of what was written."""
        if text := "".join(self.parts):
            self.parts = []
            self.outputs.send(None, "stream", {"name": self.name, "text": text})


def _shell(outputs: _Outputs) -> InteractiveShell:
    """Return a kernel's shell that keeps no history and sends its messages to ``outputs``."""
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    config = Config({"HistoryManager": {"enabled": False}, "IPKernelApp": {}})
    shell = ZMQInteractiveShell.instance(config=config, compiler_class=XCachingCompiler)
    shell.displayhook.session = shell.display_pub.session = outputs
    shell.displayhook.topic = b"execute_result"
    return shell
