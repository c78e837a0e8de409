"""The feeds of a sample: reviews, logs and purchases that look and misbehave like the real ones."""
