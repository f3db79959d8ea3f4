"""
How a pinned LiteLLM release becomes this fork.

lock      which releases, and the sha256 of every wheel of them
upstream  the wheel: from a file, the cache, or the index; checked against the lock before it is opened
names, twins, json_twins, line_twins   what is done to upstream: the twin rule
edit, edits   the explicit exceptions to it: their form, and the list of them
wiring    applies all of that to a wheel, and audits that every mention of vLLM is explained
wheel     packs the fork
backend   the PEP 517 / PEP 660 hooks, `python -m fork` the command line
"""
