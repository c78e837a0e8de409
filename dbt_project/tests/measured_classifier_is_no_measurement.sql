-- A comparison with a number that was left blank is NULL, and finds nothing: so what is blank is asked for first.
select *
from {{ ref('measured_classifier') }}
where
    true_positives is null
    or false_positives is null
    or false_negatives is null
    or true_negatives is null
    or true_positives + false_negatives < 20
    or true_negatives + false_positives < 20
    -- All tenths, or none for a classifier without scores.
    or coalesce(
        tenth_0, tenth_1, tenth_2, tenth_3, tenth_4, tenth_5, tenth_6, tenth_7, tenth_8, tenth_9
    ) is not null
    and coalesce(
        tenth_0 + tenth_1 + tenth_2 + tenth_3 + tenth_4 + tenth_5 + tenth_6 + tenth_7 + tenth_8 + tenth_9, -1
    ) <> true_positives + false_positives + false_negatives + true_negatives
