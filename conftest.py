"""What every test, and every lesson under test, starts with."""

import os

# Nobody watches, and a progress bar would be an output that differs from the stored one.
os.environ.setdefault("COURSE_QUIET", "1")
