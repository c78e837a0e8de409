"""The pages, in the order in which they stand in the navigation."""

from pages.report.pages import customers, index, reviews, runs, trust

PAGES = (index.PAGE, customers.PAGE, reviews.PAGE, trust.PAGE, runs.PAGE)
