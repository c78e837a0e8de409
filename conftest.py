"""Fixtures that the tests of several rooms share."""

pytest_plugins = ["ci.fixtures"]
