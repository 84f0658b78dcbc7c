"""The programs behind `make`. They are never installed with the course."""
