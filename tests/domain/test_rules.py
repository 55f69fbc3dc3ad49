"""What a company decides for itself."""

import pytest

from hub.domain.rules import Rules
from hub.errors import BadInput

PATH = ("input", "topic")


@pytest.mark.parametrize("topics", [(), ("billing", "moving")])
def test_no_topic_is_always_allowed(topics: tuple[str, ...]) -> None:
    assert Rules(topics=topics).check_topic(None, *PATH) is None


def test_without_a_list_any_topic_will_do() -> None:
    assert Rules().check_topic(" whatever ", *PATH) == "whatever"


def test_with_a_list_its_topics_do_and_others_are_refused_with_where_to_find_it() -> None:
    rules = Rules(topics=("billing", "moving"))

    assert rules.check_topic(" billing ", *PATH) == "billing"
    for other in ("Billing", "billing.refund", "bill"):
        with pytest.raises(BadInput, match="query `topics`") as refused:
            rules.check_topic(other, *PATH)
        assert refused.value.path == PATH


@pytest.mark.parametrize("topics", [(), ("billing",)])
@pytest.mark.parametrize("topic", ["", " ", "x" * 501, "a\x00b", "\ud800"])
def test_a_topic_is_a_short_text(topics: tuple[str, ...], topic: str) -> None:
    with pytest.raises(BadInput) as refused:
        Rules(topics=topics).check_topic(topic, *PATH)

    assert refused.value.path == PATH
