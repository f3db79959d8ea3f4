"""
How a pinned LiteLLM release becomes this fork.

source    which commit this tree is, and which files belong to it
lock      which releases, and the sha256 of every wheel of them
upstream  the wheel: from a file, the cache, or the index; checked against the lock before it is opened
names, twins, json_twins, line_twins   what is done to upstream: the twin rule
edit, edits, places, imports, splice, releases   the explicit exceptions to it: their form, a module each, and how
          they get into upstream's text
programs  the programs that are entered beside upstream's
exemptions, json_values   mentions that need no twin; values of the twins' own
wiring    applies all of that to a wheel, and audits that every mention of vLLM is explained
cached    the wired files, kept for the next build of this checkout
check     what another release needs before the fork can stand on it
wheel     packs the fork
patch, series   the change as upstream would take it: in a tree, as one diff, as patches for `git am`
backend   the PEP 517 / PEP 660 hooks, `python -m fork` the command line
"""
