"""
A module as it is before a later patch of the series: what that patch brings is taken out, and nothing else.
"""

import pytest

from fork.names import LEXIQ_NOVA, TWINS
from fork.series.earlier import without_later

HERE = "litellm/llms/remodlai/some/module.py"
LATER = ("litellm/llms/remodlai/later.py", "litellm/llms/remodlai/engine/errors.py")


def before(source: str) -> str:
    return without_later(HERE, source.encode(), LATER, [LEXIQ_NOVA]).decode()


def test_a_module_before_both_providers() -> None:
    source = (
        "import httpx\n\nfrom litellm.later import Safe\nfrom litellm.now import Kept\n\n"
        'NAMES = frozenset({"hosted_vllm", "remodlai", "lexiq_nova"})\n\n\nclass A(Safe, Kept): ...\n'
    )
    after = (
        'import httpx\n\nfrom litellm.now import Kept\n\nNAMES = frozenset({"hosted_vllm"})\n\n\nclass A(Kept): ...\n'
    )
    assert without_later("litellm/a.py", source.encode(), ["litellm/later.py"], TWINS) == after.encode()


@pytest.mark.parametrize(
    ("source", "after"),
    [
        pytest.param('A = ("remodlai", "lexiq_nova")\n', 'A = ("remodlai",)\n', id="a tuple of one"),
        pytest.param('A = ["lexiq_nova", "remodlai"]\n', 'A = ["remodlai"]\n', id="the first element"),
        pytest.param(
            'A = {\n    "remodlai": 1,\n    "lexiq_nova": 2,\n}\n', 'A = {\n    "remodlai": 1,\n}\n', id="an entry"
        ),
        pytest.param(
            'A = [("remodlai", 1), ("lexiq_nova", 2), ("b", ["remodlai", "lexiq_nova"])]\n',
            'A = [("remodlai", 1), ("b", ["remodlai"])]\n',
            id="a row of a table, and alternatives in a row",
        ),
        pytest.param(
            "from ..common_utils import HostedLexiqNova, LexiqNova\n\n\nclass HostedLexiqNovaA(HostedLexiqNova):\n"
            "    pass\n\n\nclass LexiqNovaA(LexiqNova, HostedLexiqNovaA):\n    pass\n",
            "from ..common_utils import HostedLexiqNova\n\n\nclass HostedLexiqNovaA(HostedLexiqNova):\n    pass\n",
            id="the other provider's class",
        ),
        pytest.param(
            "from ..later import Mixed\nfrom ..now import Kept\n\n\nclass A(Mixed, Kept):\n    pass\n",
            "from ..now import Kept\n\n\nclass A(Kept):\n    pass\n",
            id="a base class",
        ),
        pytest.param(
            "from ..engine.errors import a\nfrom ..errors import b\n\nA = (a, b)\n",
            "from ..errors import b\n\nA = (b,)\n",
            id="a relative import is the module it names",
        ),
        pytest.param(
            "import json\n\nfrom ..later import f\n\n\ndef g():\n    return f()\n\n\n# Why h is there.\n"
            "@decorated\ndef h():\n    return json.dumps(g())\n\n\ndef k(key):\n    return key.g\n",
            "\n\n\ndef k(key):\n    return key.g\n",
            id="a function of it, its callers, and the imports that only they read",
        ),
        pytest.param(
            'class TestA:\n    def test_a(self):\n        assert ask("remodlai/m")\n\n'
            '    def test_b(self):\n        assert ask("lexiq_nova/m")\n',
            'class TestA:\n    def test_a(self):\n        assert ask("remodlai/m")\n',
            id="a test of it",
        ),
        pytest.param("lexiq_nova_key: str | None = None\nb = 1\n", "b = 1\n", id="a variable of its name"),
    ],
)
def test_a_module_before_the_local_provider(source: str, after: str) -> None:
    assert before(source) == after


@pytest.mark.parametrize(
    "source",
    [
        "base, key = resolve()\n",
        '"""What lexiq_nova/ is."""\n\nfrom ..errors import LexiqNovaError\n\nA = LexiqNovaError\n',
        "import json  # nobody reads it\n\nA = 1\n",
    ],
)
def test_what_is_not_later_stays(source: str) -> None:
    assert before(source) == source
