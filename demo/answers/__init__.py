"""What a right pipeline makes of a sample, worked out by the generator, which shares nothing with the pipeline."""
