"""``python -m autograd`` is the command ``chainrule``."""

import sys

from autograd.command.cli import main

sys.exit(main())
