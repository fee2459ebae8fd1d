"""Old addresses, without a built book: each leads to a page of today, and hides none."""

from pathlib import Path

import pytest
import yaml

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.book.site import redirects
from tests.book.test_notebooks import toc_files


@pytest.fixture(scope="module")
def pages():
    toc = yaml.safe_load((paths.BOOK / "_toc.yml").read_text())
    return {toc["root"], *toc_files(toc)}


def test_every_old_address_is_a_page_or_leads_to_one(pages):
    moved = redirects.known(paths.BOOK)
    assert not {old: page for old, page in moved.items() if page not in pages}
    assert not pages & set(moved)
    before = set(Path(__file__).with_name("old_addresses.txt").read_text().split())
    assert before - pages - set(moved) == {"index", "search"}


@pytest.mark.parametrize(
    ("old", "page", "address"),
    [
        ("book/a", "book/b", "b.html"),
        ("book/a", "book/x/b", "x/b.html"),
        ("book/x/a", "book/b", "../b.html"),
        ("a", "book/b", "book/b.html"),
    ],
)
def test_the_way_is_relative_so_that_the_site_can_lie_anywhere(tmp_path, old, page, address):
    target = tmp_path / f"{page}.html"
    target.parent.mkdir(parents=True)
    target.write_text("a page")
    assert redirects.write(tmp_path, {old: page}, start=page) == []
    text = (tmp_path / f"{old}.html").read_text()
    assert f'content="0; url={address}"' in text and f'href="{address}"' in text
    assert redirects.write(tmp_path, {old: page}, start=page) == []  # over its own


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    (tmp_path / "redirects.yaml").write_text("- book/a\n")
    with pytest.raises(UserError, match="old addresses"):
        redirects.known(tmp_path)
