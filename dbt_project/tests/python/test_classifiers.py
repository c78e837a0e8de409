"""By which classifier each day was judged: recorded, and never two of them in one number."""

import shutil

import pytest

from ci.staged_sample import Sample, Warehouse, stage_again

pytestmark = pytest.mark.slow

DAY = Sample.DAYS[0]
TABLE = "classified_movie_review"


@pytest.fixture
def own(built, sample, tmp_path) -> Warehouse:
    """The built sample, whose staging layer may be changed."""
    staging = tmp_path / "staging"
    shutil.copytree(sample.staging, staging)
    warehouse = Warehouse(tmp_path / "own", staging)
    shutil.copyfile(built.file, warehouse.file)
    warehouse.stage_external_sources()
    return warehouse


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
    assert "WARN 2 days_of_different_classifiers" in own.build(DAY)
    rows = own.query(
        f"select * exclude insert_date from analytics_marts.ledger_classifier where insert_date = '{DAY}'"
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
    built = own.dbt("build", "--exclude-resource-type", "unit_test", days=(DAY, DAY))
    assert built.returncode != 0 and "FAIL 1 two_classifiers_in_one_day" in built.stdout


def test_as_many_reviews_are_classified_as_staged(built):
    counted = built.query(
        "select insert_date, sum(classified_reviews) from analytics_marts.ledger_classifier group by all order by all"
    )
    staged = built.query(
        "select insert_date, records_staged from analytics_marts.ledger "
        "where table_name = 'classified_movie_review' and records_staged > 0 order by all"
    )
    assert counted == staged
