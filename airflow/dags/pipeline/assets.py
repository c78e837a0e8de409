"""The staging tables as assets: what `staging` writes for a day and `analytics` waits for.

The URIs name tables, not places: they are the same on every platform.
"""

from airflow.sdk import Asset

TABLES = ("classified_movie_review", "review_logs", "user_purchase")

CLASSIFIED_MOVIE_REVIEW, REVIEW_LOGS, USER_PURCHASE = (
    Asset(name=table, uri=f"movie-analytics://staging/{table}", group="staging") for table in TABLES
)
# The marts of a day, built and tested.
MARTS = Asset(name="marts", uri="movie-analytics://marts", group="marts")
