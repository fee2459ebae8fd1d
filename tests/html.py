"""What a page shows, read as a browser would."""

from html.parser import HTMLParser
from xml.etree import ElementTree


class Page(HTMLParser):
    """Tags with their attributes and the text; every tag that opens must close, in order."""

    def __init__(self, html: str):
        super().__init__()
        self.found, self.open, self.text = [], [], ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def attributes(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


def read(shown) -> Page:
    """The page of something that shows itself in a notebook."""
    return Page(shown._repr_html_())


def image(picture):
    """The picture's page, after checks that hold for every figure."""
    page = read(picture)
    (attributes,) = page.attributes("svg")
    assert attributes["role"] == "img" and attributes["aria-label"] == picture.alt
    assert len(picture.alt) > 60 and "nan" not in picture.alt
    assert picture.caption in page.text and "nan" not in "".join(hovered(picture))
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for _, attributes in page.found if "href" in attributes]
    assert all(link.startswith(("#", "data:")) for link in links)  # no file that could be missing
    return page


def hovered(picture) -> list[str]:
    """What a picture says where a pointer rests on it, in order."""
    root = ElementTree.fromstring(str(picture.svg))
    return [title.text for title in root.iter("title")]
