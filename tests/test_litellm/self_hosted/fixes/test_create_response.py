"""The REST reference's names of the Responses functions."""

import litellm


def test_both_names_are_the_same_function() -> None:
    assert litellm.create_response is litellm.responses
    assert litellm.acreate_response is litellm.aresponses
