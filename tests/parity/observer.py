"""Observes generated cases as `hosted_vllm`: `python -m parity.observer FILE CASES [DIRECTORY]`.

With DIRECTORY, LiteLLM is the one unpacked there. FILE gets what was seen by case, both as text, in JSON.
"""

import json
import math
import os
import re
import sys
import warnings
from pathlib import Path


def observe(cases: int) -> dict[str, str]:
    """What is seen of about `cases` cases of all endpoints, nearly always the same ones, without those that show a
    fault of the release."""
    from parity.endpoints.all import ENDPOINTS
    from parity.harness import UPSTREAM, Case, Harness
    from parity.mended import is_mended

    shares = sum(endpoint.share for endpoint in ENDPOINTS)
    seen: dict[str, str] = {}
    with Harness() as harness:
        port = re.compile(rf"\b{harness.server.url.rpartition(':')[2]}\b")

        def see(case: Case) -> None:
            if repr(case) not in seen and not is_mended(case):
                seen[repr(case)] = port.sub("<port>", repr(harness.observe(case, UPSTREAM)))

        for endpoint in ENDPOINTS:
            endpoint.each_case(math.ceil(cases * endpoint.share / shares), see)
    return seen


def main(file: str, cases: str, directory: str | None = None) -> None:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = os.environ["HF_HUB_OFFLINE"] = "True"
    warnings.simplefilter("ignore")
    if directory:
        sys.path.insert(0, directory)
    Path(file).write_text(json.dumps(observe(int(cases))))


if __name__ == "__main__":
    main(*sys.argv[1:])
