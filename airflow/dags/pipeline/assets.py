"""The assets: a day that `staging` has brought in and checked, for which `analytics` waits, and a day of the marts.

The URIs name what is there, not places: they are the same on every platform.
"""

from airflow.sdk import Asset

TABLES = ("classified_movie_review", "review_logs", "user_purchase")

# All tables of a day, checked or accepted. One asset, since events of several that arrive at once can be counted as two half days
# (apache/airflow#71070).
STAGED = Asset(name="staged", uri="movie-analytics://staged", group="staging")
# The marts of a day, built and tested.
MARTS = Asset(name="marts", uri="movie-analytics://marts", group="marts")
