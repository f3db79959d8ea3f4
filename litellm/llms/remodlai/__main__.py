"""
`python -m litellm.llms.remodlai`, which is the program `lexiq-nova`: see `command/`.
"""

import sys

from litellm.llms.remodlai.command.parser import main

if __name__ == "__main__":
    sys.exit(main())
