"""The pages, in the order of the navigation."""

from pages.report.pages import customers, index, reviews, runs, trust

PAGES = (index.PAGE, customers.PAGE, reviews.PAGE, trust.PAGE, runs.PAGE)
