"""What moves out of a page, and what of it is searched."""

import base64
import zipfile

from docutils import nodes

from msalib.book.site import assets, searched

PICTURE = base64.b64encode(bytes(range(256)) * 40).decode()


def test_large_pictures_and_sounds_become_files_once(tmp_path):
    body = "".join(
        f"<{element}>"
        for element in (
            f'img src="data:image/png;base64,{PICTURE}" alt="a"',
            f'image href="data:image/png;base64,{PICTURE}"',
            f'audio src="data:audio/wav;base64,{PICTURE}"',
            'img src="data:image/png;base64,AAAA" alt="small"',
        )
    )
    light = assets.lighter(body, tmp_path / "_images", "../_images")
    assert len(light) < 400 and "base64,AAAA" in light
    assert light.count('src="../_images/') == 2 and light.count(' href="../_images/') == 1
    files = sorted((tmp_path / "_images").iterdir())
    assert {path.suffix for path in files} == {".png", ".wav"}
    assert all(path.read_bytes() == bytes(range(256)) * 40 for path in files)
    assert assets.lighter(body, tmp_path / "_images", "../_images") == light


def test_files_that_no_page_shows_any_more_go(tmp_path):
    folder = tmp_path / "_images"
    folder.mkdir()
    for name in ("shown.png", "by me.svg", "old.png"):
        (folder / name).touch()
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "a.html").write_text('<img src="../_images/shown.png">')
    (tmp_path / "b.html").write_text('<image href="_images/by%20me.svg">')
    assets.sweep(tmp_path, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["by me.svg", "shown.png"]
    assets.sweep(tmp_path, tmp_path / "none")


def test_an_archive_depends_on_the_notebook_alone(tmp_path):
    notebook = tmp_path / "one.ipynb"
    notebook.write_text("{}")
    archives = [tmp_path / "a" / "one.zip", tmp_path / "b" / "one.zip"]
    for path in archives:
        assets.zipped(notebook, path)
        notebook.touch()
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        assert archive.read("one.ipynb") == b"{}"


def test_drawings_controls_and_numbers_are_not_searched():
    html = (
        "<table><caption>Error of MOSI</caption><tr><th>block 3</th><td>0.817 ± 0.012</td></tr>"
        "</table><svg><text>axis</text></svg><button>CSV</button><style>p { top: 0 }</style>"
    )
    assert searched.words(html) == "Error of MOSI block"


def test_the_code_of_a_cell_is_not_searched_and_the_page_is_left_as_it_was():
    page = nodes.document(None, None)
    page += nodes.section("", nodes.title("", "Name"), nodes.paragraph("", "prose"), ids=["name"])
    page[0] += nodes.container("", nodes.literal_block("", "code = 1"), classes=["cell_input"])
    found = searched.reduced(page)
    assert "code = 1" in page.astext() and "code = 1" not in found.astext()
    (title,) = found.findall(nodes.title)
    assert title.astext() == "Name" and title.parent["ids"] == ["name"]
    assert "prose" in found.astext()
