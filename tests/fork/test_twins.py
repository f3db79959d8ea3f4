"""The twin rule for Python: each rule before and after."""

from textwrap import dedent

import pytest

from fork.names import REMODLAI
from fork.twins import COMMENT, COVERED, NEUTRAL, RULES, with_twins


def no_exemption(line: str) -> str | None:
    return None


def check(before: str, after: str, explained: dict[int, str] | None = None) -> None:
    text, reasons = with_twins(dedent(before), no_exemption)
    assert text == dedent(after)
    if explained is not None:
        assert reasons == explained
    compile(text, "after", "exec")


# Elements


def test_list() -> None:
    check(
        """\
        providers: Final[list] = [
            "openai",  # first
            # hosted ones
            "hosted_vllm",  # any server
            # not a provider
            "llamafile",
        ]
        """,
        """\
        providers: Final[list] = [
            "openai",  # first
            # hosted ones
            "hosted_vllm",  # any server
            "remodlai",
            "lexiq_nova",
            # not a provider
            "llamafile",
        ]
        """,
        {4: "element"},
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["vllm"]', '["vllm", "remodlai", "lexiq_nova"]'),
        ('["a", "vllm"]', '["a", "vllm", "remodlai", "lexiq_nova"]'),
        ('("/vllm",)', '("/vllm", "/remodlai", "/lexiq_nova")'),
        ('{"b", P.VLLM.value, "a"}', '{"b", P.VLLM.value, P.REMODLAI.value, P.LEXIQ_NOVA.value, "a"}'),
        ("frozenset({'hosted_vllm'})", "frozenset({'hosted_vllm', 'remodlai', 'lexiq_nova'})"),
        ("call([HOSTED_VLLM])", "call([HOSTED_VLLM, REMODLAI, LEXIQ_NOVA])"),
    ],
)
def test_sequences_on_one_line(before: str, after: str) -> None:
    check(f"x = {before}\n", f"x = {after}\n", {1: "element"})


def test_last_element_without_a_comma() -> None:
    check(
        """\
        x = [
            "a",
            "vllm"
        ]
        """,
        """\
        x = [
            "a",
            "vllm",
            "remodlai",
            "lexiq_nova"
        ]
        """,
    )


def test_where_both_are_named_hosted_carries_the_twins() -> None:
    check(
        'x = ["vllm", "a", "hosted_vllm", "b"]\ny = {"VLLMConfig", "b"}\n',
        'x = ["vllm", "a", "hosted_vllm", "remodlai", "lexiq_nova", "b"]\n'
        'y = {"VLLMConfig", "HostedLexiqNovaChatConfig", "LexiqNovaConfig", "b"}\n',
    )
    assert with_twins('x = [\n    "vllm",\n    "hosted_vllm",\n]\n', no_exemption)[1] == {2: COVERED, 3: "element"}


def test_a_twin_that_is_already_there_is_not_added() -> None:
    check('x = ["hosted_vllm", "remodlai"]\n', 'x = ["hosted_vllm", "lexiq_nova", "remodlai"]\n')


def test_a_call_in_a_list_is_no_name() -> None:
    """What only mentions the provider inside is not the provider's element: nothing explains it."""
    check('x = [connect("vllm"), "a"]\n', 'x = [connect("vllm"), "a"]\n', {})


def test_literal() -> None:
    check(
        """\
        def create(
            provider: Literal["openai", "hosted_vllm", "xai"] = "openai",  # where
            other: typing.Literal[
                "vllm",
            ] = "vllm",
        ): ...
        """,
        """\
        def create(
            provider: Literal["openai", "hosted_vllm", "remodlai", "lexiq_nova", "xai"] = "openai",  # where
            other: typing.Literal[
                "vllm", "remodlai", "lexiq_nova",
            ] = "vllm",
        ): ...
        """,
        {2: "literal", 4: "literal"},
    )


def test_a_subscript_that_is_no_literal_is_left_alone() -> None:
    check('x = registry["vllm"]\n', 'x = registry["vllm"]\n', {})


def test_dict_entry() -> None:
    check(
        """\
        CONFIGS = {
            LlmProviders.HOSTED_VLLM: (lambda: litellm.HostedVLLMChatConfig(), False),  # hosted

            # the next
            LlmProviders.LLAMAFILE: (lambda: litellm.LlamafileChatConfig(), False),
            LlmProviders.VLLM: (lambda: litellm.VLLMConfig(), False),
        }
        """,
        """\
        CONFIGS = {
            LlmProviders.HOSTED_VLLM: (lambda: litellm.HostedVLLMChatConfig(), False),  # hosted
            LlmProviders.REMODLAI: (lambda: litellm.HostedLexiqNovaChatConfig(), False),
            LlmProviders.LEXIQ_NOVA: (lambda: litellm.LexiqNovaConfig(), False),

            # the next
            LlmProviders.LLAMAFILE: (lambda: litellm.LlamafileChatConfig(), False),
            LlmProviders.VLLM: (lambda: litellm.VLLMConfig(), False),
        }
        """,
        {2: "entry", 6: COVERED},
    )


def test_registry_entry_over_several_lines() -> None:
    check(
        """\
        MAP: Final = {
            "HostedVLLMChatConfig": (
                ".llms.hosted_vllm.chat.transformation",
                "HostedVLLMChatConfig",
            ),
            **more,
        }
        """,
        """\
        MAP: Final = {
            "HostedVLLMChatConfig": (
                ".llms.hosted_vllm.chat.transformation",
                "HostedVLLMChatConfig",
            ),
            "HostedLexiqNovaChatConfig": (
                ".llms.remodlai.chat.transformation",
                "HostedLexiqNovaChatConfig",
            ),
            "LexiqNovaConfig": (
                ".llms.remodlai.completion.transformation",
                "LexiqNovaConfig",
            ),
            **more,
        }
        """,
        {2: "entry", 3: "entry", 4: "entry"},
    )


def test_a_list_inside_a_dict_of_others() -> None:
    check(
        'x = {"chat": ["vllm", "a"]}\n',
        'x = {"chat": ["vllm", "remodlai", "lexiq_nova", "a"]}\n',
        {1: "element"},
    )


# Statements


def test_enum_member() -> None:
    check(
        '''\
        class LlmProviders(str, Enum):
            """Docs that name vllm."""

            VLLM = "vllm"  # in process
            # Any server
            HOSTED_VLLM = "hosted_vllm"
            XAI = "xai"
        ''',
        '''\
        class LlmProviders(str, Enum):
            """Docs that name vllm."""

            VLLM = "vllm"  # in process
            # Any server
            HOSTED_VLLM = "hosted_vllm"
            REMODLAI = "remodlai"
            LEXIQ_NOVA = "lexiq_nova"
            XAI = "xai"
        ''',
        {2: COMMENT, 4: COVERED, 6: "variable"},
    )


def test_variable() -> None:
    check(
        "vllm_models: list = []\nother = 1\n",
        "vllm_models: list = []\nremodlai_models: list = []\nlexiq_nova_models: list = []\nother = 1\n",
        {1: "variable"},
    )


def test_a_variable_is_twinned_once_in_a_module() -> None:
    check(
        "hosted_vllm_key = None\nx = 1\nvllm_key = None\n",
        "hosted_vllm_key = None\nremodlai_key = None\nlexiq_nova_key = None\nx = 1\nvllm_key = None\n",
        {1: "variable", 3: COVERED},
    )


def test_import() -> None:
    check(
        """\
        if TYPE_CHECKING:
            from .llms.hosted_vllm.chat.transformation import (
                HostedVLLMChatConfig as HostedVLLMChatConfig,
            )
            from .llms.xai import X
        """,
        """\
        if TYPE_CHECKING:
            from .llms.hosted_vllm.chat.transformation import (
                HostedVLLMChatConfig as HostedVLLMChatConfig,
            )
            from .llms.remodlai.chat.transformation import (
                HostedLexiqNovaChatConfig as HostedLexiqNovaChatConfig,
            )
            from .llms.remodlai.completion.transformation import (
                LexiqNovaConfig as LexiqNovaConfig,
            )
            from .llms.xai import X
        """,
        {2: "import", 3: "import"},
    )


def test_twins_from_one_module_are_one_import() -> None:
    check(
        """\
        # Rerank of hosted_vllm
        from .llms.hosted_vllm.rerank.transformation import (
            HostedVLLMRerankConfig as HostedVLLMRerankConfig,
        )
        from litellm.llms.vllm.common_utils import VLLMError
        """,
        """\
        # Rerank of hosted_vllm
        from .llms.hosted_vllm.rerank.transformation import (
            HostedVLLMRerankConfig as HostedVLLMRerankConfig,
        )
        from .llms.remodlai.rerank.transformation import (
            HostedLexiqNovaRerankConfig as HostedLexiqNovaRerankConfig,
            LexiqNovaRerankConfig as LexiqNovaRerankConfig,
        )
        from litellm.llms.vllm.common_utils import VLLMError
        from litellm.llms.remodlai.common_utils import HostedLexiqNovaError, LexiqNovaError
        """,
        {1: COMMENT, 2: "import", 3: "import", 5: "import"},
    )


def test_a_twin_imports_only_the_provider_s_names() -> None:
    check(
        "from litellm.llms.vllm.common_utils import VLLMError, join, split\n",
        "from litellm.llms.vllm.common_utils import VLLMError, join, split\n"
        "from litellm.llms.remodlai.common_utils import HostedLexiqNovaError, LexiqNovaError\n",
    )


def test_an_import_of_a_neutral_name_needs_no_twin() -> None:
    before = "from litellm.llms.vllm.common_utils import join\n"
    check(before, before, {1: NEUTRAL})


def test_function_with_decorators() -> None:
    check(
        '''\
        # Routes
        @router.api_route(
            "/vllm/{endpoint:path}",
            tags=["VLLM Pass-through", "pass-through"],
        )
        # vllm has one route
        async def vllm_proxy_route(endpoint: str) -> Response:
            """[Docs](https://docs.litellm.ai/docs/pass_through/vllm)"""
            # on to vllm
            return await proxy(endpoint, f"to vllm: {endpoint}", custom_llm_provider="vllm")


        def other(): ...
        ''',
        '''\
        # Routes
        @router.api_route(
            "/vllm/{endpoint:path}",
            tags=["VLLM Pass-through", "pass-through"],
        )
        # vllm has one route
        async def vllm_proxy_route(endpoint: str) -> Response:
            """[Docs](https://docs.litellm.ai/docs/pass_through/vllm)"""
            # on to vllm
            return await proxy(endpoint, f"to vllm: {endpoint}", custom_llm_provider="vllm")


        @router.api_route(
            "/remodlai/{endpoint:path}",
            tags=["Lexiq Nova Pass-through", "pass-through"],
        )
        async def remodlai_proxy_route(endpoint: str) -> Response:
            """[Docs](https://docs.litellm.ai/docs/providers/remodlai)"""
            return await proxy(endpoint, f"to remodlai: {endpoint}", custom_llm_provider="remodlai")


        @router.api_route(
            "/lexiq_nova/{endpoint:path}",
            tags=["Lexiq Nova Pass-through", "pass-through"],
        )
        async def lexiq_nova_proxy_route(endpoint: str) -> Response:
            """[Docs](https://docs.litellm.ai/docs/providers/remodlai)"""
            return await proxy(endpoint, f"to lexiq_nova: {endpoint}", custom_llm_provider="lexiq_nova")


        def other(): ...
        ''',
    )


def test_a_function_of_both_is_twinned_from_hosted() -> None:
    check(
        """\
        def _complete_vllm():
            return in_process()


        def _complete_hosted_vllm():
            return by_http()
        """,
        """\
        def _complete_vllm():
            return in_process()


        def _complete_hosted_vllm():
            return by_http()


        def _complete_remodlai():
            return by_http()


        def _complete_lexiq_nova():
            return by_http()
        """,
        {1: COVERED, 5: "function"},
    )


def test_a_private_function_that_knows_its_provider_serves_the_twins_as_well() -> None:
    check(
        '''\
        def _complete_hosted_vllm(context) -> Response:
            """vllm by HTTP."""
            custom_llm_provider: Final = context.custom_llm_provider
            base = context.base or get("HOSTED_VLLM_API_BASE")
            return post(base, "hosted_vllm")


        def _complete_vllm(context): ...


        def complete(p, context):
            if p == "openai":
                response = _complete_openai(context)
            elif p == "hosted_vllm":
                response = _complete_hosted_vllm(context)
            elif p == "vllm":
                response = _complete_vllm(context)
        ''',
        '''\
        def _complete_hosted_vllm(context) -> Response:
            """vllm by HTTP."""
            custom_llm_provider: Final = context.custom_llm_provider
            base = context.base or get(f"{custom_llm_provider.upper()}_API_BASE")
            return post(base, custom_llm_provider)


        def _complete_vllm(context): ...


        def complete(p, context):
            if p == "openai":
                response = _complete_openai(context)
            elif p in ("hosted_vllm", "remodlai", "lexiq_nova"):
                response = _complete_hosted_vllm(context)
            elif p == "vllm":
                response = _complete_vllm(context)
        ''',
        {
            1: "function",
            2: "function",
            4: "function",
            5: "function",
            8: COVERED,
            14: "branch",
            15: "branch",
            16: COVERED,
            17: COVERED,
        },
    )


def test_a_sibling_branch_calls_the_function_that_serves_all() -> None:
    text, _ = with_twins(
        "def _vllm_key(custom_llm_provider):\n    return get('VLLM_KEY')\n\n\n"
        "if p == 'vllm':\n    VLLMThing(_vllm_key(p))\n",
        no_exemption,
    )
    assert text.endswith(
        "if p == 'vllm':\n    VLLMThing(_vllm_key(p))\n"
        "elif p == 'remodlai':\n    HostedLexiqNovaThing(_vllm_key(p))\n"
        "elif p == 'lexiq_nova':\n    LexiqNovaThing(_vllm_key(p))\n"
    )


def test_a_method_is_no_site() -> None:
    before = "class Client:\n    def to_vllm(self): ...\n"
    check(before, before, {})


# Branches


def test_a_branch_that_needs_nothing_of_the_provider_s_own_serves_the_twins_as_well() -> None:
    check(
        """\
        def complete(p):
            if p == "openai":
                return 1
            # any server
            elif p == "hosted_vllm":  # by HTTP
                # a server of vllm
                return call(p, f"{base}/vllm")
            elif p == "vllm":
                return in_process()
            else:
                return 2
        """,
        """\
        def complete(p):
            if p == "openai":
                return 1
            # any server
            elif p in ("hosted_vllm", "remodlai", "lexiq_nova"):  # by HTTP
                # a server of vllm
                return call(p, f"{base}/{p}")
            elif p == "vllm":
                return in_process()
            else:
                return 2
        """,
        {5: "branch", 6: COMMENT, 7: "branch", 8: COVERED},
    )


def test_a_branch_takes_the_provider_s_name_from_what_it_tests() -> None:
    check(
        """\
        if p == "hosted_vllm" and streams:
            key = key or get("HOSTED_VLLM_API_KEY")
            if key is None:
                raise ValueError("no key for Hosted VLLM: set HOSTED_VLLM_API_KEY")
            call("hosted_vllm", key)
        """,
        """\
        if p in ("hosted_vllm", "remodlai", "lexiq_nova") and streams:
            key = key or get(f"{p.upper()}_API_KEY")
            if key is None:
                raise ValueError(f"no key for Hosted VLLM: set {p.upper()}_API_KEY")
            call(p, key)
        """,
        {1: "branch", 2: "branch", 4: "branch", 5: "branch"},
    )


@pytest.mark.parametrize(
    "own",
    [
        "HostedVLLMThing()",
        "P.HOSTED_VLLM",
        'r"vllm\\d"',
        '"{} vllm"',
        '"class VLLMThing"',
        "f(vllm=1)",
        'cast(Literal["vllm"], p)',
    ],
)
def test_a_branch_with_something_of_the_provider_s_own_gets_siblings(own: str) -> None:
    text, _ = with_twins(f'if p == "a":\n    b()\nelif p == "hosted_vllm":\n    x = {own}\n', no_exemption)
    assert text.count("\nelif p == ") == 3
    assert " in (" not in text


def test_an_enum_member_is_not_written_like_the_provider() -> None:
    """`f"{member}"` is `LlmProviders.VLLM`; in capitals a member is the name as well."""
    check(
        'if p == P.VLLM:\n    x = get("VLLM_API_KEY")\n',
        'if p in (P.VLLM, P.REMODLAI, P.LEXIQ_NOVA):\n    x = get(f"{p.upper()}_API_KEY")\n',
    )
    for own in ('"vllm"', 'f"{a} of vllm"'):
        text, _ = with_twins(f"if p == P.VLLM:\n    x = {own}\n", no_exemption)
        assert text.count("p == P.") == 3


def test_siblings_have_no_comments_but_those_that_a_checker_reads() -> None:
    check(
        """\
        def complete(p):
            if p == "openai":
                return 1
            # any server
            elif p == "hosted_vllm":  # by HTTP
                # a server
                from litellm.llms.hosted_vllm.chat import HostedVLLMThing  # noqa: PLC0415

                x = HostedVLLMThing(key("HOSTED_VLLM_API_KEY"))  # rebind-ok: one per branch
            else:
                return 2
        """,
        """\
        def complete(p):
            if p == "openai":
                return 1
            # any server
            elif p == "hosted_vllm":  # by HTTP
                # a server
                from litellm.llms.hosted_vllm.chat import HostedVLLMThing  # noqa: PLC0415

                x = HostedVLLMThing(key("HOSTED_VLLM_API_KEY"))  # rebind-ok: one per branch
            elif p == "remodlai":
                from litellm.llms.remodlai.chat import HostedLexiqNovaThing  # noqa: PLC0415

                x = HostedLexiqNovaThing(key("REMODLAI_API_KEY"))  # rebind-ok: one per branch
            elif p == "lexiq_nova":
                from litellm.llms.remodlai.completion import LexiqNovaThing  # noqa: PLC0415

                x = LexiqNovaThing(key("LEXIQ_NOVA_API_KEY"))  # rebind-ok: one per branch
            else:
                return 2
        """,
        {5: "branch", 7: "branch", 9: "branch"},
    )


def test_a_branch_that_makes_a_config_chooses_among_the_twins() -> None:
    """A branch more for each would be more than upstream's check of complexity allows."""
    check(
        """\
        def config(p, model):
            if p == P.OPENAI:
                return A()
            if p == P.HOSTED_VLLM:
                return litellm.HostedVLLMThing()
            elif P.VLLM == p or P.HOSTED_VLLM == p:
                # only here
                from litellm.llms.vllm.things import VLLMThing

                return VLLMThing()
            elif p == P.HOSTED_VLLM:
                from litellm.llms.hosted_vllm.things import thing_of_hosted_vllm

                return thing_of_hosted_vllm(model=model)
        """,
        """\
        def config(p, model):
            if p == P.OPENAI:
                return A()
            if p in (P.HOSTED_VLLM, P.REMODLAI, P.LEXIQ_NOVA):
                return {
                    P.HOSTED_VLLM: litellm.HostedVLLMThing,
                    P.REMODLAI: litellm.HostedLexiqNovaThing,
                    P.LEXIQ_NOVA: litellm.LexiqNovaThing,
                }[p]()
            elif p in (P.VLLM, P.HOSTED_VLLM, P.REMODLAI, P.LEXIQ_NOVA):
                from litellm.llms.remodlai.things import HostedLexiqNovaThing, LexiqNovaThing
                # only here
                from litellm.llms.vllm.things import VLLMThing

                return {
                    P.VLLM: VLLMThing,
                    P.HOSTED_VLLM: VLLMThing,
                    P.REMODLAI: HostedLexiqNovaThing,
                    P.LEXIQ_NOVA: LexiqNovaThing,
                }[p]()
            elif p in (P.HOSTED_VLLM, P.REMODLAI, P.LEXIQ_NOVA):
                from litellm.llms.hosted_vllm.things import thing_of_hosted_vllm
                from litellm.llms.remodlai.things import thing_of_lexiq_nova, thing_of_remodlai

                return {
                    P.HOSTED_VLLM: thing_of_hosted_vllm,
                    P.REMODLAI: thing_of_remodlai,
                    P.LEXIQ_NOVA: thing_of_lexiq_nova,
                }[p](model=model)
        """,
        dict.fromkeys((4, 5, 6, 8, 10, 11, 12, 14), "branch"),
    )


@pytest.mark.parametrize(
    "returned", ["HostedVLLMThing", "HostedVLLMThing().params(p)", "thing(HostedVLLMThing)", "HostedVLLMThing(P.VLLM)"]
)
def test_any_other_branch_gets_elifs(returned: str) -> None:
    text, _ = with_twins(f"if p == P.HOSTED_VLLM:\n    x = {returned}\n", no_exemption)
    assert text.count("elif") == 2
    text, _ = with_twins(f"def f(p):\n    if p == P.HOSTED_VLLM:\n        return {returned}\n", no_exemption)
    assert text.count("elif") == 2


def test_an_if_that_goes_on_below_gets_elifs() -> None:
    """The body may set what is tested: a second `if` could then be true as well."""
    check(
        """\
        if p == P.VLLM:
            x = VLLMThing()
        y = 1
        """,
        """\
        if p == P.VLLM:
            x = VLLMThing()
        elif p == P.REMODLAI:
            x = HostedLexiqNovaThing()
        elif p == P.LEXIQ_NOVA:
            x = LexiqNovaThing()
        y = 1
        """,
    )


def test_branch_for_both_at_once() -> None:
    check(
        """\
        if a:
            x = 1
        elif P.VLLM == p or P.HOSTED_VLLM == p:
            x = VLLMModelInfo()
        else:
            x = 2
        """,
        """\
        if a:
            x = 1
        elif P.VLLM == p or P.HOSTED_VLLM == p:
            x = VLLMModelInfo()
        elif P.REMODLAI == p:
            x = HostedLexiqNovaModelInfo()
        elif P.LEXIQ_NOVA == p:
            x = LexiqNovaModelInfo()
        else:
            x = 2
        """,
        {3: "branch", 4: "branch"},
    )


def test_one_branch_for_both_and_the_twins() -> None:
    check(
        "if P.VLLM == p or P.HOSTED_VLLM == p:\n    go(p)\n",
        "if P.VLLM == p or p in (P.HOSTED_VLLM, P.REMODLAI, P.LEXIQ_NOVA):\n    go(p)\n",
    )


def test_nested_if() -> None:
    check(
        'if custom:\n    if p == "vllm":\n        a()\n',
        'if custom:\n    if p in ("vllm", "remodlai", "lexiq_nova"):\n        a()\n',
    )


def test_a_membership_test_is_the_element_rule_s() -> None:
    check(
        'if p in ("vllm", "a"):\n    go()\n',
        'if p in ("vllm", "remodlai", "lexiq_nova", "a"):\n    go()\n',
        {1: "element"},
    )


@pytest.mark.parametrize("test", ['p != "vllm"', 'not p == "vllm"', "p is not P.VLLM", 'p != "vllm" or p == "a"'])
def test_a_negative_test_is_left_to_a_person(test: str) -> None:
    """A twin branch of "not vLLM" would be wrong: nothing explains the site, so the build is refused."""
    before = f"if {test}:\n    go()\n"
    check(before, before, {})


def test_operand() -> None:
    check(
        """\
        if p == "vllm" or p == "openai":
            go()
        """,
        """\
        if p in ("vllm", "remodlai", "lexiq_nova") or p == "openai":
            go()
        """,
        {1: "operand"},
    )


def test_operand_beside_hosted() -> None:
    check(
        """\
        ok = (
            p == "vllm"
            or p == "openai"
            or p == "hosted_vllm"
        )
        """,
        """\
        ok = (
            p == "vllm"
            or p == "openai"
            or p in ("hosted_vllm", "remodlai", "lexiq_nova")
        )
        """,
        {2: COVERED, 4: "operand"},
    )


def test_operand_that_is_no_equality() -> None:
    check(
        'if "vllm" in model or p == "openai":\n    go()\n',
        'if "vllm" in model or "remodlai" in model or "lexiq_nova" in model or p == "openai":\n    go()\n',
        {1: "operand"},
    )


def test_case() -> None:
    check(
        """\
        match p:
            case "vllm":
                a()
            # by HTTP
            case "hosted_vllm" | P.HOSTED_VLLM:
                from litellm.llms.hosted_vllm.x import HostedVLLMThing

                b(HostedVLLMThing)
            case _:
                c()
        """,
        """\
        match p:
            case "vllm":
                a()
            # by HTTP
            case "hosted_vllm" | P.HOSTED_VLLM:
                from litellm.llms.hosted_vllm.x import HostedVLLMThing

                b(HostedVLLMThing)
            case "remodlai" | P.REMODLAI:
                from litellm.llms.remodlai.x import HostedLexiqNovaThing

                b(HostedLexiqNovaThing)
            case "lexiq_nova" | P.LEXIQ_NOVA:
                from litellm.llms.remodlai.x import LexiqNovaThing

                b(LexiqNovaThing)
            case _:
                c()
        """,
        {2: COVERED, 5: "case", 6: "case", 8: "case"},
    )


# What holds for every rule

SITES = {
    "element": 'x = ["vllm", "a"]',
    "literal": 'x: Literal["vllm", "a"]',
    "entry": 'x = {"vllm": 1}',
    "variable": "vllm_key = 1",
    "import": "from a.vllm import VLLMThing",
    "function": "def vllm_call(): ...",
    "branch": 'if p == "vllm":\n    VLLMThing()',
    "operand": 'x = p == "vllm" or p == "a"',
    "case": 'match p:\n    case "vllm":\n        go()',
}


def test_every_rule_has_a_site_here() -> None:
    assert SITES.keys() == RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_with_its_rule_a_site_is_twinned_and_explained(rule: str) -> None:
    text, explained = with_twins(f"{SITES[rule]}\n", no_exemption, {rule})
    assert text != f"{SITES[rule]}\n"
    assert set(explained.values()) == {rule}


@pytest.mark.parametrize("rule", RULES)
def test_without_its_rule_a_site_is_left_alone_and_not_explained(rule: str) -> None:
    source = f"{SITES[rule]}\n"
    assert with_twins(source, no_exemption, set(RULES) - {rule}) == (source, {})


@pytest.mark.parametrize("rule", RULES)
def test_an_exempt_site_is_left_alone_and_explained(rule: str) -> None:
    source = f"{SITES[rule]}\n"
    text, explained = with_twins(source, lambda line: "exempt: a reason" if "vllm" in line else None)
    assert text == source
    assert set(explained.values()) == {"exempt: a reason"}


@pytest.mark.parametrize("rule", RULES)
def test_wiring_twice_changes_nothing_but_branches(rule: str) -> None:
    """Where a scope has the twin already it is not added again. (Branches are not compared: a second one is never
    reached, and a release that has the twins is refused before it is wired.)"""
    once, _ = with_twins(f"{SITES[rule]}\n", no_exemption)
    if rule not in ("branch", "operand", "case"):
        assert with_twins(once, no_exemption)[0] == once


def test_a_covered_site_needs_a_twinned_one() -> None:
    """Where hosted_vllm's branch is exempt, nothing carries the twins of vllm's: it gets its own."""
    source = 'if p == "hosted_vllm":\n    a()\nelif p == "vllm":\n    b()\n'
    text, explained = with_twins(source, lambda line: "exempt: why" if "hosted" in line else None)
    assert text == source.replace('p == "vllm"', 'p in ("vllm", "remodlai", "lexiq_nova")')
    assert explained == {1: "exempt: why", 3: "branch"}


def test_everything_else_stays_as_it_is() -> None:
    source = dedent('''\
        #!/usr/bin/env python
        """Talks to vllm."""

        import   os
        x  =  {  "a" :1,}   # odd
        y = connect("vllm")


        if x : pass
        z = [
        "vllm"  ,
            "b" ,]
        ''')
    text, explained = with_twins(source, no_exemption)
    assert text == source.replace('"vllm"  ,\n', '"vllm"  ,\n    "remodlai"  ,\n    "lexiq_nova"  ,\n')
    assert explained == {2: COMMENT, 11: "element"}


def test_one_twin_alone() -> None:
    """A series adds one provider after the other."""
    source = 'x = ["vllm"]\nif p == "vllm":\n    go()\n'
    assert with_twins(source, no_exemption, twins=(REMODLAI,))[0] == (
        'x = ["vllm", "remodlai"]\nif p in ("vllm", "remodlai"):\n    go()\n'
    )
