"""
The program `lexiq-nova`: models of this machine from a terminal. `parser.py` says what it can; each other module is a
group of its commands.
"""
