"""The copy of an executed notebook that readers get: its texts, and its one cell of parameters."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from msalib.base.errors import UserError
from msalib.book.finish import finish


def glued(name: str, value: object, prefix: str = "application/papermill.record/"):
    about = {"scrapbook": {"name": name, "mime_prefix": prefix}}
    data = {f"{prefix}text/plain": repr(value)}
    return new_output("display_data", data=data, metadata=about)


def finished(markdown: str, *outputs) -> str:
    cell = new_code_cell("glue(...)", outputs=list(outputs))
    notebook = new_notebook(cells=[new_markdown_cell(markdown), cell])
    finish(notebook, "paper/curve")
    return notebook.cells[0].source


def test_texts_of_the_notebook_stand_in_its_markdown():
    title = "# Table 2: {glue:text}`setting:s`, {glue:text}`share:.1f` of {glue:text}`n`"
    values = glued("setting", "CMU-MOSI"), glued("share", 0.25, ""), glued("n", 24)
    assert finished(title, *values) == "# Table 2: CMU-MOSI, 0.2 of 24"


def test_a_text_is_no_markdown():
    answer = glued("answer", "- *no* [0.1, 0.2](x) $a$\n{glue:text}`a`")
    text = finished("{glue:text}`answer:s`", answer)
    assert text == r"\- \*no\* \[0.1, 0.2\](x) \$a\$ {glue:text}\`a\`"


def test_roles_of_other_documents_stay():
    role = "{glue:text}`../executed/ledger.ipynb::papers:s`"
    assert finished(role, glued("papers", 5)) == role


def test_a_name_that_nothing_glued_is_refused_with_its_cell():
    with pytest.raises(UserError, match=r"'answr' of cell 1 of notebook paper/curve.*mean answer"):
        finished("{glue:text}`answr:s`", glued("answer", "yes"))


def test_a_format_that_does_not_fit_is_refused():
    with pytest.raises(UserError, match=r"'share' of cell 1.*'many'"):
        finished("{glue:text}`share:.2f`", glued("share", "many"))
