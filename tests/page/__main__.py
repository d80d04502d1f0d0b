"""Write the files anew that the page's engine is tested by: ``python -m tests.page``."""

from tests.page.golden import write

write()
