"""log_reviews.csv into review_logs."""
