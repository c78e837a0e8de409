"""Which reviews are positive: a file for each classifier, and `chosen` for the one that a command is to use."""
