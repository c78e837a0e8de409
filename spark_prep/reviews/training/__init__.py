"""From labelled reviews to a model: `labelled` reads, `fit` learns, `measure` says how often the result is right, `card` writes it down."""
