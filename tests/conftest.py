import pytest

from bardgpt.teaching import ladder


@pytest.fixture(scope="session")
def shakespeare() -> ladder.Shakespeare:
    """The real text; where it comes from is `bardgpt.corpus`'s business."""
    return ladder.shakespeare()
