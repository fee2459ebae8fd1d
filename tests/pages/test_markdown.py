"""A text that begins a line of Markdown begins nothing else."""

import pytest
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import DocutilsRenderer
from myst_parser.parsers.mdit import create_md_parser

from msalib.pages.markdown import plain_line

OPENINGS = "- a", "+ a", "1. one", "12) two", "# head", "+++", "% none", "--- a", "===", "::: a"


@pytest.mark.parametrize(
    "text", [*OPENINGS, "> a", "-0.05 MAE", "1.5 times", "    code", "$x$ [a](b) *c*"]
)
def test_text_stays_text_at_the_beginning_of_a_line(text):
    config = MdParserConfig(enable_extensions={"colon_fence", "dollarmath", "deflist"})
    parser = create_md_parser(config, DocutilsRenderer)
    tokens = parser.parse(f"before\n\n{plain_line(text)}\n")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"] * 2
    assert "".join(child.content for child in tokens[4].children) == text.strip()
