"""The pages, in the order of the navigation."""

from pages.report.pages import customers, model, overview, questions, reviews, runs, trust

PAGES = (overview.PAGE, questions.PAGE, customers.PAGE, reviews.PAGE, model.PAGE, trust.PAGE, runs.PAGE)
