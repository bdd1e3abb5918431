from django.template.loader import render_to_string
from django.utils import translation

from assessments import charts
from assessments.instrument.document import Cuts
from assessments.scoring.intervals import Interval
from assessments.templatetags import readiness

CUTS = Cuts(operational=55, expert=80, provisional=True, basis={"fr": "…"})


def test_zones_fill_the_scale_from_end_to_end():
    zones = charts.band(CUTS, score=None, interval=None).zones
    assert [zone.level for zone in zones] == [1, 2, 3]
    assert float(zones[0].x) == charts.LEFT
    ends = [float(zone.x) + float(zone.width) for zone in zones]
    assert ends[:2] == [float(zone.x) for zone in zones[1:]]
    assert ends[2] == charts.RIGHT


def test_marks_stand_at_their_value():
    band = charts.band(CUTS, score=50.0, interval=Interval(25.0, 75.0), chance=37.5, beside=100.0)
    middle = (charts.LEFT + charts.RIGHT) / 2
    assert float(band.score) == middle
    assert float(band.lower) + float(band.upper) == 2 * middle
    assert float(band.lower) < float(band.chance) < float(band.score)
    assert float(band.beside) == charts.RIGHT


def test_every_mark_stays_within_the_drawing():
    band = charts.band(CUTS, score=0.0, interval=Interval(0.0, 100.0), chance=0.0, beside=0.0)
    for place in (band.score, band.lower, band.upper, band.chance, band.beside):
        assert 0 < float(place) < charts.WIDTH


def test_nothing_is_marked_where_there_is_nothing():
    band = charts.band(CUTS, score=None, interval=None)
    assert (band.score, band.lower, band.upper, band.chance, band.beside) == (None,) * 5


def test_the_word_under_the_chance_line_never_covers_a_figure():
    def label(chance: float) -> bool:
        return charts.band(CUTS, score=None, interval=None, chance=chance).chance_label

    assert label(37.5)
    assert not label(54.0)
    assert not label(3.0)


def test_what_a_band_shows_is_drawn_once_for_all_that_are_alike(language):
    def band(score):
        return charts.band(CUTS, score=score, interval=Interval(25.0, 75.0), chance=37.5)

    readiness._drawn.cache_clear()
    for score in (50.0, 62.5, 50.0):
        anew = render_to_string("assessments/report/marks.html", {"band": band(score)})
        assert readiness.drawn(band(score)) == anew
    assert readiness._drawn.cache_info().misses == 2
    with translation.override({"fr": "en", "en": "fr"}[language]):
        assert readiness.drawn(band(50.0)) != readiness._drawn(band(50.0), language)


def test_what_is_under_the_marks_is_that_of_its_cuts():
    one = charts.band(CUTS, score=50.0, interval=None)
    other = charts.band(
        Cuts(operational=60, expert=80, provisional=True, basis={"fr": "…"}),
        score=50.0,
        interval=None,
    )
    assert readiness.scale(one) == readiness.scale(charts.band(CUTS, score=1.0, interval=None))
    assert ">55<" in readiness.scale(one)
    assert ">60<" in readiness.scale(other)
