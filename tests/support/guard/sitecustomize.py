"""Python imports this at start wherever its directory is on PYTHONPATH: the loopback guard for child processes."""

import importlib.util
import os
import sys
from pathlib import Path

if os.environ.get("LOOPBACK_ONLY") == "1":
    _spec = importlib.util.spec_from_file_location("_loopback", Path(__file__).parent.parent / "loopback.py")
    _loopback = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_loopback)
    sys.modules[_spec.name] = _loopback
    _loopback.install()
