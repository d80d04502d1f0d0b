"""``python -m autograd`` is the command ``chainrule``."""

import sys

from autograd.cli import main

sys.exit(main())
