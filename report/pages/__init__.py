"""The pages, in the order in which they stand in the navigation."""

from report.pages import index, reviews, runs, trust

PAGES = (index.PAGE, reviews.PAGE, trust.PAGE, runs.PAGE)
