"""
The local engine: vLLM's own server, started, shared, replaced and stopped by the calls that need it.

README.md has the modules, the files on disk and the states of an engine.
"""
