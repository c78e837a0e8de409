"""The card of the model that MODEL_URI names: how often it is right, whether a score is what it says, whether more labels would help, and
what it goes by. All of it was measured on reviews that were not learnt from, when the model was trained."""

from pages.report.card import Card
from pages.report.charts import Bar, Cell, bars, curve, grid, intervals, shade
from pages.report.figure import FEW, Figure, Page, Shown, part_of, text
from pages.report.pages.reviews import wilson_interval

# On either side, in the picture; the table has all.
NGRAMS_SHOWN = 12
MEASURES = (
    ("Precision (positive of those called positive)", "precision", "share"),
    ("Recall (called positive of the positive)", "recall", "share"),
    ("F1", "f1", "share"),
    ("Area under the curve", "auc", "number"),
    ("Calibration error", "calibration_error", "share"),
    ("Unsure (score from 0.4 to 0.6)", "unsure", "share"),
    ("n-grams of a review without a weight", "unknown_ngram_share", "share"),
)


def at_a_glance(card: Card, judged, pairs) -> Shown:
    figures = card.figures
    accuracy, low, high = (
        text(figures[name], "share") for name in ("accuracy", "accuracy_low", "accuracy_high")
    )
    note = f" {card.note}" if card.note else ""
    return Shown(
        sentence=(
            f"Model {card.version} learnt on {card.trained} from {text(card.reviews, 'count')} labelled reviews, and is right in {accuracy} "
            f"({low} to {high}) of reviews that it has not learnt from. {_use(card, judged, pairs)}{note}"
        ),
        columns=[("Figure", "text"), ("Value", "text")],
        rows=[
            ("Right", f"{accuracy} ({low} to {high} with 95 % confidence)"),
            *((name, text(figures[measure], kind)) for name, measure, kind in MEASURES),
            ("Labelled reviews", f"{text(card.reviews, 'count')}, {text(card.positive, 'count')} of them positive"),
            ("Blocks", card.blocks_by),
            ("Weights", text(card.weights, "count")),
        ],
        chart=lambda width: intervals(_accuracies(card), width),
        is_open=True,
    )  # fmt: skip


def _use(card: Card, judged, pairs) -> str:
    days = [row for row in judged if row["classifier_version"] == card.version]
    if days:
        return f"It decided what is positive from {days[0]['first_day']} to {days[-1]['last_day']}."
    beside = [
        row for row in pairs if card.version in (row["classifier_version"], row["other_classifier_version"])
    ]
    if beside:
        return f"It ran beside the classifier that decides, to be compared, from {beside[0]['first_day']} to {beside[0]['last_day']}."
    return "It judged none of the reviews in the warehouse."


def _accuracies(card: Card) -> list[tuple]:
    figures = card.figures
    each = round(card.reviews / len(card.accuracy_by_block))
    blocks = [
        (f"block {number}", *_around(share, each), text(share, "share"), each < FEW)
        for number, share in enumerate(card.accuracy_by_block, 1)
    ]
    whole = (
        figures["accuracy_low"],
        figures["accuracy"],
        figures["accuracy_high"],
        text(figures["accuracy"], "share"),
        card.reviews < FEW,
    )
    return [("all", *whole), *blocks]


def _around(share: float, count: int) -> tuple[float, float, float]:
    low, high = wilson_interval(round(share * count), count)
    return low, share, high


def confusion(card: Card) -> Shown:
    counts = card.figures["confusion"]
    rows = (("positive", "true_positive", "false_negative"), ("negative", "false_positive", "true_negative"))
    totals = {label: counts[left] + counts[right] for label, left, right in rows}
    wrong = counts["false_positive"] + counts["false_negative"]
    cells = [
        Cell(column, row, shade(counts[name], max(totals.values())), text(counts[name], "count"), text(counts[name] / max(1, totals[label]), "share"))
        for row, (label, *names) in enumerate(rows)
        for column, name in enumerate(names)
    ]  # fmt: skip
    return Shown(
        sentence=(
            f"Wrong: {part_of(wrong, sum(totals.values()))} reviews, {text(counts['false_positive'], 'count')} negative ones called positive "
            f"and {text(counts['false_negative'], 'count')} positive ones called negative."
        ),
        columns=[("The label", "text"), ("Called positive", "count"), ("Called negative", "count")],
        rows=[(label, counts[left], counts[right]) for label, left, right in rows],
        chart=lambda width: grid(
            cells, width, ["called positive", "called negative"], [label for label, *_ in rows]
        ),
    )


def calibration(card: Card) -> Shown:
    tenths = card.figures["scores"]
    return Shown(
        sentence=(
            f"A score is off by {text(card.figures['calibration_error'], 'share')} on average: of reviews with a score of 0.8, eight of ten "
            "would be positive if it were never off."
        ),
        columns=[("Score from", "number"), ("Reviews", "count"), ("Mean score", "share"), ("Positive", "share")],
        rows=[(tenth["from"], tenth["reviews"], tenth["mean_score"], tenth["positive"]) for tenth in tenths],
        chart=lambda width: curve(
            [(tenth["mean_score"], tenth["positive"], text(tenth["reviews"], "short count")) for tenth in tenths], width, (0, 1), (0, 1),
            has_diagonal=True,
        ),
        legend=(("blue", "share of positive reviews by score; the number of reviews beside it"), ("line", "a score that is never off")),
    )  # fmt: skip


def learning_curve(card: Card) -> Shown:
    lowest = min(share for _, share in card.curve)
    first, last = card.curve[0], card.curve[-1]
    return Shown(
        sentence=(
            f"Learnt from {text(first[0], 'count')} reviews it is right in {text(first[1], 'share')} of the last block, from "
            f"{text(last[0], 'count')} in {text(last[1], 'share')}. If the line is flat at its end, more labels of the same kind bring little."
        ),
        columns=[("Learnt from", "count"), ("Right", "share")],
        rows=list(card.curve),
        chart=lambda width: curve(
            [(*point, text(point[1], "share") if point in (first, last) else "") for point in card.curve], width, (0, last[0]), (min(0.5, lowest), 1),
            has_counts=True,
        ),
    )  # fmt: skip


def weights(card: Card) -> Shown:
    ngrams = [*card.for_it[:NGRAMS_SHOWN], *reversed(card.against_it[:NGRAMS_SHOWN])]
    said = " and ".join(
        f"{' '.join(f'“{ngram}”' for ngram, *_ in side[:3])} {which} it"
        for side, which in ((card.for_it, "for"), (card.against_it, "against"))
        if side
    )
    return Shown(
        sentence=f"The largest weights: {said}." if said else "No n-gram has a weight.",
        columns=[("Words", "text"), ("Weight", "number"), ("Reviews with them", "count"), ("Positive of these", "share")],
        rows=[*card.for_it, *reversed(card.against_it)],
        chart=(lambda width: bars([_weight_bar(ngram, weight) for ngram, weight, *_ in ngrams], width)) if ngrams else None,
        legend=(("blue", "speaks for a review"), ("pale", "against it")),
    )  # fmt: skip


def _weight_bar(ngram: str, weight: float) -> Bar:
    part = (0, weight, "blue") if weight > 0 else (weight, 0, "pale")
    return Bar(ngram, (part,), text(weight, "number"))


def limits(card: Card) -> Shown:
    return Shown(
        sentence=f"What it is not for: {len(card.not_for)} things.",
        columns=[("Not for", "text")],
        rows=[(purpose,) for purpose in card.not_for],
        is_open=True,
    )


PAGE = Page(
    name="model",
    title="Model",
    lead="The classifier that was learnt from labelled reviews: how often it is right, and what it goes by.",
    figures=(
        Figure(
            name="card",
            title="How often it is right",
            queries=("report_classifiers", "report_agreement"),
            show=at_a_glance,
            definition=(
                "The reviews were cut into blocks, each judged by a model that had learnt from the others. Intervals by Wilson, 95 %. Figures of the "
                "labelled reviews: on others it errs as it does there only if they are alike. Each share of positive reviews on the overview has its own."
            ),
            empty="",
            is_of_card=True,
        ),
        Figure(
            name="confusion",
            title="Where it is wrong",
            queries=(),
            show=confusion,
            definition="Labelled reviews, by their label and by what the model of the other blocks calls them; the shares are of the label's reviews.",
            empty="",
            is_of_card=True,
        ),
        Figure(
            name="calibration",
            title="Is a score what it says?",
            queries=(),
            show=calibration,
            definition=(
                "By tenths of the score: the mean score, and the share of these reviews that is positive. The error is the distance of the two, as the "
                "mean over the reviews; each block was calibrated by the others."
            ),
            empty="",
            is_of_card=True,
        ),
        Figure(
            name="learning-curve",
            title="Is it worth labelling more?",
            queries=(),
            show=learning_curve,
            definition="Models that learnt from one block, two and so on, all judged by the last block.",
            empty="",
            is_of_card=True,
        ),
        Figure(
            name="weights",
            title="What it goes by",
            queries=(),
            show=weights,
            definition=(
                "Words, pairs and triples of words, with the largest weights for and against; a weight adds to the logarithm of the odds that the "
                "review is positive. “Positive of these”: of the labelled reviews that hold them."
            ),
            empty="",
            is_of_card=True,
        ),
        Figure(
            name="limits",
            title="What it is not for",
            queries=(),
            show=limits,
            definition="Written when the model was trained. Its mistakes of the highest confidence are in card.md of the model's folder, by id.",
            empty="",
            is_of_card=True,
        ),
    ),
)
