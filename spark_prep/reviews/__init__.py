"""movie_review.csv into classified_movie_review."""
