"""The page: well formed, with nothing to fetch or run, whatever names hold."""

from __future__ import annotations

from html.parser import HTMLParser

from napari_vol3d.review.project.page import figure, gallery, page, section, side_by_side, table, tiles

EVIL = '<script>alert("x")</script>'
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Balanced(HTMLParser):
    """Keeps tags, and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def parsed(text: str) -> Balanced:
    found = Balanced()
    found.feed(text)
    found.close()
    assert found.open == []
    return found


def test_names_stay_text():
    parts = [
        tiles([(EVIL, EVIL)]), figure("<svg/>", EVIL), table((EVIL, "n"), [((EVIL, EVIL), EVIL)]),
        section(EVIL, EVIL, side_by_side(figure("<svg/>", "a")), gallery([figure("<svg/>", "b")])),
    ]  # fmt: skip
    text = page(EVIL, EVIL, parts, EVIL)
    tags = {tag for tag, _ in parsed(text).seen}
    assert "script" not in tags
    assert {"h1", "h2", "table", "td", "figcaption", "footer"} <= tags


def test_nothing_may_be_fetched():
    seen = parsed(page("t", "s", [], "f")).seen
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in seen}
    policy = next(attrs["content"] for tag, attrs in seen if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_numbers_stand_at_the_right():
    text = table(("a", "b"), [("x", "1")], numbers=frozenset({1}))
    assert '<td>x</td><td class="n">1</td>' in text
