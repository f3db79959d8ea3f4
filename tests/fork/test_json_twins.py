"""The twin rule for JSON: before and after."""

import json
from textwrap import dedent

import pytest

from fork.json_twins import COVERED, RULES, with_twins
from fork.names import REMODLAI


def check(before: str, after: str, explained: dict[int, str]) -> None:
    text, reasons = with_twins(dedent(before))
    assert text == dedent(after)
    assert reasons == explained
    json.loads(text)


def test_key() -> None:
    check(
        """\
        {
          "groq": {"a": 1},
          "hosted_vllm": {
            "display_name": "Hosted VLLM (`hosted_vllm`)",
            "chat": true
          },
          "xai": [1,2]
        }
        """,
        """\
        {
          "groq": {"a": 1},
          "hosted_vllm": {
            "display_name": "Hosted VLLM (`hosted_vllm`)",
            "chat": true
          },
          "remodlai": {
            "display_name": "Lexiq Nova (`remodlai`)",
            "chat": true
          },
          "lexiq_nova": {
            "display_name": "Lexiq Nova (local) (`lexiq_nova`)",
            "chat": true
          },
          "xai": [1,2]
        }
        """,
        {3: "key", 4: "key"},
    )


def test_last_key() -> None:
    check(
        """\
        {
          "/vllm/{endpoint}": {
            "summary": "Vllm Route"
          }
        }
        """,
        """\
        {
          "/vllm/{endpoint}": {
            "summary": "Vllm Route"
          },
          "/remodlai/{endpoint}": {
            "summary": "Remodlai Route"
          },
          "/lexiq_nova/{endpoint}": {
            "summary": "Lexiq_Nova Route"
          }
        }
        """,
        {2: "key", 3: "key"},
    )


def test_object_that_describes_the_provider() -> None:
    check(
        """\
        [
          {
            "provider": "Hosted_Vllm",
            "name": "Hosted vLLM",
            "fields": [
              {
                "key": "api_key",
                "label": "vLLM API Key"
              }
            ]
          },
          {
            "provider": "OpenAI"
          }
        ]
        """,
        """\
        [
          {
            "provider": "Hosted_Vllm",
            "name": "Hosted vLLM",
            "fields": [
              {
                "key": "api_key",
                "label": "vLLM API Key"
              }
            ]
          },
          {
            "provider": "Remodlai",
            "name": "Lexiq Nova",
            "fields": [
              {
                "key": "api_key",
                "label": "Lexiq Nova API Key"
              }
            ]
          },
          {
            "provider": "Lexiq_Nova",
            "name": "Lexiq Nova (local)",
            "fields": [
              {
                "key": "api_key",
                "label": "Lexiq Nova (local) API Key"
              }
            ]
          },
          {
            "provider": "OpenAI"
          }
        ]
        """,
        {3: "object", 4: "object", 8: "object"},
    )


@pytest.mark.parametrize(
    ("before", "covered"),
    [
        ('{\n  "hosted_vllm": 1,\n  "vllm": 2\n}\n', 3),
        ('[\n  {\n    "id": "vllm"\n  },\n  {\n    "id": "hosted_vllm"\n  }\n]\n', 3),
    ],
)
def test_where_both_are_named_hosted_carries_the_twins(before: str, covered: int) -> None:
    text, explained = with_twins(before)
    assert text.count("remodlai") == text.count("lexiq_nova") == 1
    assert explained.pop(covered) == COVERED
    assert set(explained.values()) <= set(RULES)


def test_a_twin_s_own_values() -> None:
    values = {"remodlai": {"remodlai.chat": False, "remodlai.fields.0.hint": "new"}}
    text, _ = with_twins('{\n  "vllm": {\n    "chat": true,\n    "fields": [\n      {}\n    ]\n  }\n}\n', values=values)
    assert json.loads(text) == {
        "vllm": {"chat": True, "fields": [{}]},
        "remodlai": {"chat": False, "fields": [{"hint": "new"}]},
        "lexiq_nova": {"chat": True, "fields": [{}]},
    }
    listed, _ = with_twins('[\n  {\n    "id": "vllm"\n  }\n]\n', values={"lexiq_nova": {"id": "ours"}})
    assert json.loads(listed) == [{"id": "vllm"}, {"id": "remodlai"}, {"id": "ours"}]


@pytest.mark.parametrize("path", ["vllm.chat", "remodlai.gone.chat", "remodlai.fields.3.a", "remodlai.chat.a"])
def test_a_value_without_a_place_is_refused(path: str) -> None:
    source = '{\n  "vllm": {\n    "chat": true,\n    "fields": []\n  }\n}\n'
    with pytest.raises(ValueError, match=f"no place for its own value of {path}"):
        with_twins(source, values={"remodlai": {path: 1}})


def test_prose_about_vllm_is_no_site() -> None:
    before = '[\n  {\n    "note": "works like vllm does"\n  }\n]\n'
    assert with_twins(before) == (before, {})


@pytest.mark.parametrize("text", ['"Größe"', '"Gr\\u00f6\\u00dfe"'])
def test_escapes_are_kept(text: str) -> None:
    before = f'{{\n  "vllm": {text}\n}}\n'
    after, _ = with_twins(before)
    assert after.count(text) == 3


@pytest.mark.parametrize(
    ("rule", "site"), [("key", '{\n  "vllm": 1\n}\n'), ("object", '[\n  {\n    "a": "vllm"\n  }\n]\n')]
)
def test_without_its_rule_a_site_is_left_alone_and_not_explained(rule: str, site: str) -> None:
    assert with_twins(site)[1]
    assert with_twins(site, set(RULES) - {rule}) == (site, {})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{"vllm": {"a": 1}}', "cannot find this key in the file"),
        (
            '{\n  "a": [\n    {\n      "id": "vllm"\n    },\n    {\n      "id": "vllm"\n    }\n  ]\n}\n',
            "cannot find this object",
        ),
        ("{'vllm': 1}", "Expecting property name"),
    ],
    ids=["another-format", "the-same-object-twice", "no-json"],
)
def test_a_file_that_cannot_be_edited_is_refused(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_twins(source)


def test_one_twin_alone() -> None:
    source = '{\n  "vllm": 1\n}\n'
    assert with_twins(source, twins=(REMODLAI,))[0] == '{\n  "vllm": 1,\n  "remodlai": 1\n}\n'
