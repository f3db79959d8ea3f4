"""The twin rule for lists of one line per provider, before and after."""

from textwrap import dedent

import pytest

from fork.line_twins import COVERED, PICTURE, with_twins
from fork.names import REMODLAI


def check(before: str, after: str, explained: dict[int, str]) -> None:
    assert with_twins(dedent(before)) == (dedent(after), explained)


def test_row_of_a_table() -> None:
    check(
        """\
        Serve vllm models:

        | Provider | Chat |
        |---|---|
        | [A (`a`)](https://docs/providers/a) | as vllm does |
        | [Hosted VLLM (`hosted_vllm`)](https://docs/providers/vllm) | yes |
        | [VLLM (`vllm`)](https://docs/providers/vllm) | yes |
        """,
        """\
        Serve vllm models:

        | Provider | Chat |
        |---|---|
        | [A (`a`)](https://docs/providers/a) | as vllm does |
        | [Hosted VLLM (`hosted_vllm`)](https://docs/providers/vllm) | yes |
        | [Lexiq Nova (`remodlai`)](https://docs/providers/remodlai) | yes |
        | [Lexiq Nova (local) (`lexiq_nova`)](https://docs/providers/remodlai) | yes |
        | [VLLM (`vllm`)](https://docs/providers/vllm) | yes |
        """,
        {6: "line", 7: COVERED},
    )


def test_maps_of_the_dashboard() -> None:
    check(
        """\
        import vllmLogo from "../logos/vllm.png";

        export enum Providers {
          Hosted_Vllm = "Hosted vLLM",
          OpenAI_Compatible = "OpenAI-Compatible (vLLM, etc.)",
          VLLM = "Local vLLM",
        }

        export const provider_map: Record<string, string> = {
          Hosted_Vllm: "hosted_vllm",
          VLLM: "vllm",
        };

        export const logos: Record<string, string> = {
          [Providers.Hosted_Vllm]: vllmLogo.src,
          [Providers.VLLM]: vllmLogo.src,
        };
        """,
        """\
        import vllmLogo from "../logos/vllm.png";

        export enum Providers {
          Hosted_Vllm = "Hosted vLLM",
          Remodlai = "Lexiq Nova",
          Lexiq_Nova = "Lexiq Nova (local)",
          OpenAI_Compatible = "OpenAI-Compatible (vLLM, etc.)",
          VLLM = "Local vLLM",
        }

        export const provider_map: Record<string, string> = {
          Hosted_Vllm: "hosted_vllm",
          Remodlai: "remodlai",
          Lexiq_Nova: "lexiq_nova",
          VLLM: "vllm",
        };

        export const logos: Record<string, string> = {
          [Providers.Hosted_Vllm]: vllmLogo.src,
          [Providers.Remodlai]: vllmLogo.src,
          [Providers.Lexiq_Nova]: vllmLogo.src,
          [Providers.VLLM]: vllmLogo.src,
        };
        """,
        {1: PICTURE, 4: "line", 6: COVERED, 10: "line", 11: COVERED, 15: "line", 16: COVERED},
    )


def test_where_only_vllm_is_named_its_line_carries_the_twins() -> None:
    assert (
        with_twins('  VLLM: "vllm",\n')[0] == '  VLLM: "vllm",\n  REMODLAI: "remodlai",\n  LEXIQ_NOVA: "lexiq_nova",\n'
    )


def test_one_twin_alone() -> None:
    assert with_twins('  VLLM: "vllm",\n', twins=(REMODLAI,))[0] == '  VLLM: "vllm",\n  REMODLAI: "remodlai",\n'


@pytest.mark.parametrize("line", ['if (provider === "vllm") {', "vllm is fast", '// Hosted_Vllm: "hosted_vllm"'])
def test_other_lines_are_left_alone_and_not_explained(line: str) -> None:
    assert with_twins(line) == (line, {})


def test_without_the_rule_nothing_is_done() -> None:
    assert with_twins('  VLLM: "vllm",\n', ()) == ('  VLLM: "vllm",\n', {})
