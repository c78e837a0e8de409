"""Review texts whose verdict is known by construction: each fragment is listed by whether it says "good".

The company calls a review positive when it contains the word, in any case, with anything but a letter, a
mark, a digit or an underscore on both sides. Joining fragments by blanks, breaks or line ends never makes or
unmakes a word.
"""

import itertools
import random
from collections.abc import Iterator

_OPENINGS = (
    "We watched this on a rainy Sunday, and nobody left the room.",
    "The first half hour is slow, the rest is not.",
    "My sister picked it; I only came for the popcorn.",
    "It opens in a harbour, at night, with a single lamp.",
    "I had read the novel twice before I saw the film.",
    "The trailer promised a comedy, but this is a quiet drama.",
    "Three friends, one van and no map: that is the whole plot.",
)
_MIDDLES = (
    'The lead says "not today" about forty times, and means it once.',
    "The camera stays on faces, long after others would cut.",
    "Half of the jokes land, the other half trip over the sound mix.",
    "The villain's plan makes no sense, even to the villain.",
    "The score is all strings - lovely, loud, and too much of both.",
    "There is a chase through a library that I will not forget.",
    "Someone should have cut the subplot with the lighthouse.",
    "The costumes look borrowed; the accents certainly are.",
    "A scene in a café in Besançon made my neighbour cry.",
    "The dialogue is dubbed, badly, and the lips tell another story.",
    "Whoever lit the night scenes deserves a prize, and a torch.",
    "It runs 142 minutes and feels like 90.",
)
_ENDINGS = (
    "Six out of ten.",
    "I would see it again, though not alone.",
    "Wait until it is on television.",
    "Bring a cushion.",
    "The last shot alone was worth the ticket.",
    "My rating: 3/10, and two of those are for the dog.",
)
_GOOD = (
    "Good!",
    "A good-looking cast, if nothing else.",
    "good’s the word for it",
    "It was, on the whole, a good evening.",
    "GOOD grief, what an ending.",
    "(good)",
    '"good" is what the poster says',
    "As good as the book?",
    "so-so/good",
    "not good, not at all",
    "Good... and then some",
)
_NOT_GOOD_AS_A_WORD = (
    "My goodness.",
    "I said goodbye to two hours of my life.",
    "The tag on the forum was not_good, and rightly so.",
    "posted by good123",
    "goodé is no word in any language I know",
    "дgood was printed on the tape",
    "written goo\u0301d and good\u0301 by hand",
    "Goods trains all night long.",
    "a feelgood film that is none",
    "g o o d, spelt out on a wall",
)
_JOINTS = (
    " ",
    " ",
    " ",
    " ",
    "<br />",
    "<br /><br />",
    "\n",
    "\n\n",
    "\r\n",
    "\u0085",
    " \u2028",
    "\n \n",
    " – ",
)


def review_texts(rng: random.Random) -> Iterator[tuple[str, int]]:
    """Yield (text, positive_review) for ever. Odd fragments and joints take turns, so none is left out."""
    good, not_good, joints = (
        itertools.cycle(_GOOD),
        itertools.cycle(_NOT_GOOD_AS_A_WORD),
        itertools.cycle(_JOINTS),
    )
    seen: list[tuple[str, int]] = []
    while True:
        if seen and rng.random() < 0.015:
            yield rng.choice(seen)
            continue
        fragments = [rng.choice(_OPENINGS), *rng.choices(_MIDDLES, k=rng.choice((1, 2, 3, 4, 8, 16)))]
        positive = int(rng.random() < 0.4)
        if positive:
            fragments.insert(rng.randrange(len(fragments) + 1), next(good))
        if rng.random() < 0.2:
            fragments.insert(rng.randrange(len(fragments) + 1), next(not_good))
        fragments.append(rng.choice(_ENDINGS))
        text = fragments[0] + "".join(next(joints) + fragment for fragment in fragments[1:])
        if len(seen) < 50:
            seen.append((text, positive))
        yield text, positive


def plain_text(rng: random.Random) -> str:
    """A text without comma, quote, line end or the word "good": a CSV field that needs no quotes."""
    return rng.choice(("Bring a cushion.", "It runs 142 minutes and feels like 90.", "Six out of ten."))
