"""Personal data that a sample plants on request, in some reviews and logs of each day: to be searched for where none may be."""

PHONE = "555-019-2837"
IP = "203.0.113.77"
NAME = "Ottilie Kanarienvogel"
EMAIL = "ottilie.kanarienvogel@mail.example"
CARD = "4929 0000 1111 2222"

CANARIES = {"phone": PHONE, "IP": IP, "name": NAME, "e-mail": EMAIL, "card": CARD}
# What a customer writes below a review, and what a vendor adds to a log beside IP and phone number.
SENTENCE = f" {NAME}, {EMAIL}, {PHONE}, {IP}, {CARD}"
TAGS = (("customerName", NAME), ("email", EMAIL), ("cardNumber", CARD))


def is_place(position: int) -> bool:
    """The third of these is in the file with another header, too; the fourth is always sound."""
    return position % 50 in (2, 3)
