"""The usual ways, each a program of its own that takes its input and where to write Parquet."""
