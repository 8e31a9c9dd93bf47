import pytest

from core.anomaly.detector import Detector
from tests.core.doctor.doctor_world import Shop, a_small_detector


@pytest.fixture(scope="session")
def detector() -> Detector:
    """Learned once for all tests of this folder."""
    return a_small_detector()


@pytest.fixture
def shop(session) -> Shop:
    return Shop(session)
