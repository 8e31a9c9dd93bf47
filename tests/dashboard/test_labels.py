"""Labels: what is chosen, how many, on which paper, and codes for what has none."""

import pytest

from tests.dashboard.conftest import plain, words
from tests.makers import a_product


def test_opens(browser, session):
    a_product(session, 5)
    app = browser("viewer", "labels")
    assert not app.exception, app.exception
    assert app.title[0].value == "Labels"
    print(words(app))
