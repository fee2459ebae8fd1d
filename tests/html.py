"""What a page shows, read as a browser would."""

from html.parser import HTMLParser


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
    (attributes,) = page.attributes("img")
    assert attributes["alt"] == picture.alt
    assert len(picture.alt) > 60 and "nan" not in picture.alt
    assert picture.caption in page.text
    assert attributes["src"].startswith("data:image/png;base64,")  # no file that could be missing
    return page
