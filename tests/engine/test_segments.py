from hypothesis import given
from hypothesis import strategies as st

from routing.engine.segments import Segments

points = st.integers(-3, 20)
spans = st.lists(st.tuples(points, points, st.integers(0, 15)), max_size=12)


def stacked(spans, x):
    mask = 0
    for start, end, bits in spans:
        if start <= x < end:
            mask |= bits
    return mask


def test_a_line_without_spans_has_nobody():
    assert Segments.build([]).at(7) == 0


def test_spans_exclude_their_end():
    line = Segments.build([(10, 20, 0b1), (15, 30, 0b10)])

    assert [line.at(x) for x in (9, 10, 14, 15, 19, 20, 29, 30)] == [0, 1, 1, 3, 3, 2, 2, 0]


def test_a_bit_with_two_spans_at_once_stays_until_both_end():
    line = Segments.build([(0, 10, 1), (5, 8, 1), (10, 12, 1)])

    assert line == Segments((0, 12), (1, 0))


@given(spans)
def test_agrees_with_laying_the_spans_over_each_other(spans):
    line = Segments.build(spans)

    assert all(line.at(x) == stacked(spans, x) for x in range(-5, 23))
    assert all(before != after for before, after in zip((0, *line.masks), line.masks, strict=False))


@given(spans, st.integers(0, 5), st.lists(st.tuples(points, points), max_size=5))
def test_replacing_one_bit_is_building_anew_with_its_spans(spans, bit, own):
    others = [(start, end, mask & ~(1 << bit)) for start, end, mask in spans]

    replaced = Segments.build(spans).replaced(bit, own)

    assert replaced == Segments.build(others + [(start, end, 1 << bit) for start, end in own])
