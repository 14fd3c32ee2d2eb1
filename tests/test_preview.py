"""The picture beside a link to the book."""

from _pages import preview
from matplotlib.backends.backend_agg import FigureCanvasAgg


def test_picture_shows_what_the_first_and_the_last_model_write():
    drawn = preview.figure()
    said = " ".join(text.get_text() for text in drawn.texts)
    for model, text in preview.texts():
        assert model in said
        assert text in said
    assert preview.NAME in said


def test_nothing_is_cut_and_nothing_overlaps():
    drawn = preview.figure()
    renderer = FigureCanvasAgg(drawn).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in drawn.texts]
    for box in boxes:
        assert box.x0 > 40
        assert box.y0 > 40
        assert box.x1 < preview.WIDTH - 40
        assert box.y1 < preview.HEIGHT - 40
    assert not [
        (one, other)
        for place, one in enumerate(boxes)
        for other in boxes[place + 1 :]
        if one.overlaps(other)
    ]


def test_picture_is_small_and_always_the_same(tmp_path):
    one, other = tmp_path / "a/one.png", tmp_path / "b/other.png"
    preview.draw(one)
    preview.draw(other)
    assert one.read_bytes() == other.read_bytes()
    assert len(one.read_bytes()) < 100_000
