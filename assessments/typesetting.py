"""Where lines of text end, remembered from one document to the next.

Finding out how many words fit on a line is the dearest part of printing, and nearly all of what is
printed is the same for everybody: situations, explanations, sources, the method. Where a line ends
depends on its words, its style and the width alone, for as long as the fonts are the same.

Nobody's words are kept: of a text there is the hash that Python gives it in this process, of 64
bits, and numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weasyprint.text.line_break import Layout

    type Split = tuple[Layout, int, int | None, float, float, float]

type Key = tuple[int, str, tuple[float | None, float, bool, bool]]
"""The hash of the words, the look of the style, and the place."""

MOST = 16_384
"""Lines that are remembered, some 6 MB: those of ten reports that have nothing in common."""

DEPENDS_ON = (
    "direction", "font_family", "font_feature_settings", "font_kerning", "font_language_override",
    "font_size", "font_stretch", "font_style", "font_variant_alternates", "font_variant_caps",
    "font_variant_east_asian", "font_variant_ligatures", "font_variant_numeric",
    "font_variant_position", "font_variation_settings", "font_weight", "hyphenate_character",
    "hyphenate_limit_chars", "hyphenate_limit_zone", "hyphens", "lang", "letter_spacing",
    "overflow_wrap", "tab_size", "text_decoration_line", "white_space", "word_break",
    "word_spacing",
)  # fmt: skip
"""The properties that WeasyPrint looks at to break a line (held against what it does look at by
``tests/report/test_typesetting.py``)."""


@dataclass(frozen=True, slots=True)
class Line:
    """What WeasyPrint tells of a line, without its words."""

    signs: int
    """How many of the text stand on it."""
    direction: int
    numbers: tuple[int, int | None, float, float, float]
    """Its length, where the next begins, its width, height and baseline."""


class Lines:
    """The lines that were broken with the fonts of one press. Not for two threads at once."""

    def __init__(self) -> None:
        self._found: dict[Key, Line] = {}

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """Have WeasyPrint 70 ask here before it breaks a line or asks how high one is."""
        from weasyprint.layout import inline, preferred
        from weasyprint.text import line_break

        split, height = line_break.split_first_line, line_break.strut

        def first_line(
            text: str, style: Any, context: Any, max_width: float | None, justification: float,
            is_line_start: bool = True, minimum: bool = False,
        ) -> Split:  # fmt: skip
            place = max_width, justification, is_line_start, minimum
            key = hash(text), _look(style), place
            line = self._found.get(key)
            if line is None:
                found: Split = split(text, style, context, *place)
                self._remember(key, text, style, found)
                return found
            layout = line_break.Layout.__new__(line_break.Layout)  # as one that is put away
            layout.text = text[: line.signs]
            layout.max_width, layout.justification_spacing = max_width, justification
            layout.first_line_direction = line.direction
            return layout, *line.numbers

        def strut(style: Any) -> Any:
            try:
                return style.strut
            except AttributeError:
                style.strut = height(style)
                return style.strut

        changed: list[tuple[Any, str, object]] = [
            (line_break, "split_first_line", first_line),
            (inline, "split_first_line", first_line),
            (preferred, "split_first_line", first_line),
            (inline, "strut", strut),
        ]
        before = [getattr(module, name) for module, name, _ours in changed]
        for module, name, ours in changed:
            setattr(module, name, ours)
        try:
            yield
        finally:
            for (module, name, _ours), own in zip(changed, before, strict=True):
                setattr(module, name, own)

    def _remember(self, key: Key, text: str, style: Any, found: Split) -> None:
        layout, numbers = found[0], found[1:]
        # A line whose words were changed, by a hyphen, or that is underlined holds more than this.
        if text.startswith(layout.text) and style["text_decoration_line"] == "none":
            if len(self._found) >= MOST:
                del self._found[next(iter(self._found))]
            self._found[key] = Line(len(layout.text), layout.first_line_direction, numbers)


def _look(style: Any) -> str:
    """What lines of a style depend on, written once a style."""
    try:
        return str(style.look)
    except AttributeError:
        style.look = repr([style[name] for name in DEPENDS_ON])
        return _look(style)
