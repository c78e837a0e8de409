"""Erasing a customer: what is found of them in staging and quarantine, and the list that keeps them out from then on."""
