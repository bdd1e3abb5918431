"""A keyboard alone: Tab, the arrows, Space and Enter, and a look at each stop."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

LOOK = """wanted => {
    const at = document.activeElement;
    if (!at || at === document.body || at === document.documentElement) return {out: true};
    const card = at.closest(".choice") ?? at;
    const styles = [at, card].map(each => getComputedStyle(each));
    const box = card.getBoundingClientRect();
    const points = [];
    for (const x of [.5, .1, .9]) for (const y of [.5, .1, .9])
        points.push([box.left + box.width * x, box.top + box.height * y]);
    const uncovered = points.some(([x, y]) => {
        const top = document.elementFromPoint(x, y);
        return top && (card.contains(top) || top.contains(at) && top !== document.body);
    });
    const before = window.stop_before;
    const follows = !before || before === at || !before.isConnected ||
        !!(before.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_FOLLOWING);
    window.stop_before = at;
    return {
        what: `${at.tagName} ${at.id || at.name || at.textContent.trim().slice(0, 40)}`,
        outlined: styles.some(s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1),
        inside: box.width > 0 && box.bottom > 0 && box.right > 0
            && box.top < innerHeight && box.left < innerWidth,
        uncovered,
        follows,
        reordered: at.tabIndex > 0,
        found: at.matches(wanted),
        type: at.type ?? "",
    };
}"""
MOST_STOPS = 300


@dataclass
class Keys:
    """Presses keys on a page; every stop of the Tab key must be seen and come in the page's
    order."""

    page: Page

    def look(self, wanted: str = "*") -> str | None:
        """The type of what has the focus if it is what is wanted, once it was found visible."""
        stop = self.page.evaluate(LOOK, wanted)
        if stop.get("out"):  # between the end of the page and its beginning
            return None
        assert (stop["outlined"], stop["inside"], stop["uncovered"]) == (True, True, True), (
            self.page.url,
            stop,
        )
        assert (stop["follows"], stop["reordered"]) == (True, False), (self.page.url, stop)
        return stop["type"] if stop["found"] else None

    def to(self, wanted: str) -> str:
        """Tab on, from where one is, to the first stop that matches."""
        for _stop in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            if (kind := self.look(wanted)) is not None:
                return kind
        raise AssertionError(f"{wanted} was not reached on {self.page.url}")

    def press(self, wanted: str, key: str = "Enter") -> None:
        """Tab to a link or a button, and go where it leads."""
        self.to(wanted)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def skip(self) -> None:
        """Past the header by the skip link, which is the first stop of every page."""
        self.to("a[href^='#']")
        self.page.keyboard.press("Enter")
        assert self.page.evaluate("document.activeElement.tagName") == "MAIN"
