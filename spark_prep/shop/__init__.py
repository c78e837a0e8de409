"""The shop's table user_purchase: how it is loaded from a file, and exported into staging."""
