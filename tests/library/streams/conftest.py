"""What several tests of streams share."""

from collections.abc import Iterator

import pytest

from tests.library.streams.rigs import end_kafka


@pytest.fixture(scope="session", autouse=True)
def kafka_ends() -> Iterator[None]:
    """Stop the one Kafka of all tests."""
    yield
    end_kafka()
