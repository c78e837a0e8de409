"""By which classifier each day was judged: recorded, and never two of them in one number."""

import csv
import shutil
import subprocess
from collections import Counter
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ci.staged_sample import ROOT, Sample, Warehouse, stage_again
from spark_prep.contract import publish

pytestmark = pytest.mark.slow

DAY = Sample.DAYS[0]
TABLE, OTHER = "classified_movie_review", "other_classification"


@pytest.fixture
def own(built, sample, tmp_path) -> Warehouse:
    """The built sample, whose staging layer may be changed."""
    return built.copy(tmp_path / "own", shutil.copytree(sample.staging, tmp_path / "staging"))


def build_ledger(warehouse: Warehouse, **project: Path) -> subprocess.CompletedProcess[str]:
    """Of the day, with all that it needs and its tests."""
    return warehouse.dbt(
        "build", "--select", "+ledger_classifier", "--exclude-resource-type", "unit_test", days=(DAY, DAY), **project
    )  # fmt: skip


def test_a_day_of_another_classifier_is_recorded_and_warned_of(own):
    ((before, positive),) = own.query(
        f"select classified_reviews, positive_reviews from analytics_marts.ledger_classifier where insert_date = '{DAY}'"
    )
    score = "review_id % 10 / 10.0"
    stage_again(
        own.folder.with_name("staging"),
        TABLE,
        DAY,
        f"select * replace ('model' as classifier, '1-a' as classifier_version, {score} as classifier_score) from staged",
    )
    built = build_ledger(own)
    assert built.returncode == 0, built.stdout
    assert "WARN 2 days_of_different_classifiers" in built.stdout
    assert "WARN 1 classifier_was_not_measured" in built.stdout
    rows = own.query(
        "select classifier, classifier_version, classified_reviews, positive_reviews, scored_reviews, unsure_reviews "
        f"from analytics_marts.ledger_classifier where insert_date = '{DAY}'"
    )
    ((unsure,),) = own.query(
        f"select count(*) from analytics_intermediate.int_review where insert_date = '{DAY}' and review_id % 10 in (4, 5)"
    )
    assert rows == [("model", "1-a", before, positive, before, unsure)] and unsure > 0
    ((others,),) = own.query(
        "select count(*) from analytics_marts.ledger_classifier where classifier = 'keyword'"
    )
    assert others == len(Sample.DAYS) - 2  # one day has no reviews


def test_a_day_of_two_classifiers_fails(own):
    half = "case when review_id % 2 = 0 then 'lexicon' else classifier end"
    stage_again(
        own.folder.with_name("staging"), TABLE, DAY, f"select * replace ({half} as classifier) from staged"
    )
    built = build_ledger(own)
    assert built.returncode != 0 and "FAIL 1 two_classifiers_in_one_day" in built.stdout


def test_a_measured_classifier_has_a_corrected_share_and_warns_when_its_scores_move(own):
    """By the figures that are shipped with the lexicon; the same scores on every tenth review of the labelled ones would be no shift."""
    lexicon = measured()["lexicon"]
    staging = own.folder.with_name("staging")
    verdicts = (
        "'lexicon' as classifier, '{}' as classifier_version, {} as classifier_score, {} as positive_review"
    )
    # The tenth in which a labelled review lies, for as many of the day's; the first 60 % are called positive.
    ends = list(accumulate(int(lexicon[f"tenth_{tenth}"]) for tenth in range(10)))
    place = "(row_number() over (order by review_id) - 0.5) / count(*) over ()"
    score = " ".join(
        f"when {place} * 25000 < {end} then {tenth / 10 + 0.05}" for tenth, end in enumerate(ends)
    )
    for scores, warning in ((f"case {score} else 0.95 end", 0), ("0.95", 1)):
        verdict = verdicts.format(lexicon["classifier_version"], scores, f"({place} < 0.6)::int")
        stage_again(staging, TABLE, DAY, f"select * replace ({verdict}) from staged")
        built = build_ledger(own)
        assert built.returncode == 0, built.stdout
        assert built.stdout.count("WARN 1 scores_have_moved") == warning
        assert "classifier_was_not_measured" not in warned(built.stdout)
    ((count, positive, share, low, high),) = own.query(
        "select classified_reviews, positive_reviews, corrected_positive_share, corrected_positive_share_low, corrected_positive_share_high "
        f"from analytics_marts.ledger_classifier where insert_date = '{DAY}'"
    )
    true, false = (Fraction(int(lexicon[name]), 12_500) for name in ("true_positives", "false_positives"))
    assert float(share) == pytest.approx(
        float((Fraction(positive, count) - false) / (true - false)), abs=1e-5
    )
    # In all but a few of many such days and measurements the true share is inside; so wide an interval is what chance makes.
    assert low < share < high and 0.1 < high - low < 0.25
    ((unknown,),) = own.query(
        "select count(corrected_positive_share) from analytics_marts.ledger_classifier where classifier = 'keyword'"
    )
    assert unknown == 0


def test_a_day_of_other_words_than_the_model_has_learnt_is_warned_of(own, own_project):
    """By a model whose labelled reviews had 0.6 of their n-grams unknown."""
    with (own_project / "seeds/measured_classifier.csv").open("a", encoding="utf-8") as seed:
        seed.write(f"model,1-a,50,0,0,50{',10' * 10},some,0.6\n")
    staging = own.folder.with_name("staging")
    for share, warned_days in (("0.649", 0), ("0.62 + review_id % 2 / 10.0", 1)):
        verdict = f"'model' as classifier, '1-a' as classifier_version, 0.5 as classifier_score, {share} as unknown_ngram_share"
        stage_again(staging, TABLE, DAY, f"select * replace ({verdict}) from staged")
        built = build_ledger(own, project=own_project)
        assert built.stdout.count("WARN 1 ngrams_are_unknown") == warned_days, built.stdout
    ((expected,),) = own.query(
        f"select avg(0.62 + review_id % 2 / 10.0) from analytics_intermediate.int_review where insert_date = '{DAY}'"
    )
    ((share, labelled),) = own.query(
        "select unknown_ngram_share, labelled_unknown_ngram_share from analytics_marts.ledger_classifier "
        f"where insert_date = '{DAY}'"
    )
    assert float(share) == pytest.approx(expected, abs=1e-5) and float(labelled) == 0.6


def test_a_line_of_the_seed_that_is_no_measurement_fails(built, own_project, tmp_path):
    lines = (
        "model,1-a,19,0,0,50,,,,,,,,,,,too few positive labels,",
        "model,1-b,50,0,0,19,,,,,,,,,,,too few negative labels,",
        "model,1-c,50,0,0,50,100,1,0,0,0,0,0,0,0,0,one score too many,",
        "model,1-d,50,,0,50,,,,,,,,,,,a count left blank,",
        "model,1-e,50,0,0,50,100,0,0,0,0,,0,0,0,0,a tenth left blank,",
    )
    with (own_project / "seeds/measured_classifier.csv").open("a", encoding="utf-8") as seed:
        seed.writelines(f"{line}\n" for line in lines)
    seeded = built.copy(tmp_path / "own").dbt("build", "--select", "measured_classifier", project=own_project)
    assert seeded.returncode != 0
    assert f"FAIL {len(lines)} measured_classifier_is_no_measurement" in seeded.stdout


def test_two_classifiers_of_one_pass_are_compared_by_day(built, sample):
    """Against Cohen's kappa as it is defined, from the table of what each says of each review."""
    expected = {}
    for day in Sample.DAYS:
        keyword, lexicon = (said_of(sample.staging, table, day) for table in (TABLE, OTHER))
        assert keyword.keys() == lexicon.keys()
        pairs = Counter(
            (keyword[id_], lexicon[id_]) for id_ in keyword if None not in (keyword[id_], lexicon[id_])
        )
        if not pairs:
            continue
        n = pairs.total()
        observed = Fraction(pairs[0, 0] + pairs[1, 1], n)
        by_chance = sum(
            Fraction(sum(c for (a, _), c in pairs.items() if a == value), n)
            * Fraction(sum(c for (_, b), c in pairs.items() if b == value), n)
            for value in (0, 1)
        )
        kappa = (observed - by_chance) / (1 - by_chance)
        expected[day] = (
            n,
            pairs[1, 1],
            pairs[0, 0],
            pytest.approx(float(observed), abs=1e-5),
            pytest.approx(float(kappa), abs=1e-5),
        )
    rows = built.query(
        "select insert_date, compared_reviews, both_positive_reviews, both_negative_reviews, agreement::double, kappa::double "
        "from analytics_marts.ledger_agreement where (classifier, other_classifier) = ('keyword', 'lexicon')"
    )
    assert {day: tuple(figures) for day, *figures in rows} == expected and len(expected) == len(
        Sample.DAYS
    ) - 1
    assert built.query("select count(*) from analytics_marts.ledger_agreement") == [(len(expected),)]


def said_of(staging: Path, table: str, day) -> dict[int, int | None]:
    """What a classifier says of each review; None where it says both of copies."""
    committed = publish.committed(str(staging), table, day)
    assert committed
    found: dict[int, set[int]] = {}
    for path in publish.files_of(str(staging), table, day, committed.run) if committed.run else []:
        for row in pq.read_table(path, partitioning=None).to_pylist():
            found.setdefault(row["review_id"], set()).add(row["positive_review"])
    return {id_: said.pop() if len(said) == 1 else None for id_, said in found.items()}


def test_a_day_that_is_staged_without_the_others_has_no_agreement(own):
    staging = own.folder.with_name("staging")
    run = publish.new_run({"STAGING_URI": str(staging), "QUARANTINE_URI": str(staging)}, OTHER)
    days = "select count(*), count(*) filter (insert_date = '{}') from analytics_marts.ledger_agreement"
    ((before, of_day),) = own.query(days.format(DAY))
    assert of_day == 1
    publish.commit(run, DAY, 0, 0, {})
    ran = own.dbt("run", "--select", "+ledger_agreement", days=(DAY, DAY))
    assert ran.returncode == 0, ran.stdout
    assert own.query(days.format(DAY)) == [(before - 1, 0)]


def test_without_any_run_of_others_their_files_are_not_asked_for(sample, tmp_path):
    """BigQuery refuses to query an external table without files."""
    staging = tmp_path / "staging"
    shutil.copytree(sample.staging, staging)
    for folder in (staging / OTHER, *staging.glob(f"delivery/*/{OTHER}.parquet")):
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    warehouse = Warehouse(tmp_path / "own", staging)
    built = warehouse.dbt("run", "--select", "stg_delivery", "stg_other_classification")
    assert built.returncode == 0, built.stdout
    (view,) = warehouse.folder.glob("target/run/**/stg_other_classification.sql")
    assert "analytics_external" not in view.read_text()
    assert warehouse.query("select * from analytics_staging.stg_other_classification") == []


def measured() -> dict[str, dict]:
    with (ROOT / "dbt_project/seeds/measured_classifier.csv").open(encoding="utf-8") as seed:
        return {row["classifier"]: row for row in csv.DictReader(seed)}


def warned(built: str) -> str:
    return "\n".join(line for line in built.splitlines() if " WARN " in line)


def test_as_many_reviews_are_classified_as_staged(built):
    counted = built.query(
        "select insert_date, sum(classified_reviews) from analytics_marts.ledger_classifier group by all order by all"
    )
    staged = built.query(
        "select insert_date, records_staged from analytics_marts.ledger "
        "where table_name = 'classified_movie_review' and records_staged > 0 order by all"
    )
    assert counted == staged
