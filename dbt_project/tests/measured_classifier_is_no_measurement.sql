select *
from {{ ref('measured_classifier') }}
where
    true_positives + false_negatives < 20
    or true_negatives + false_positives < 20
    or tenth_0 + tenth_1 + tenth_2 + tenth_3 + tenth_4 + tenth_5 + tenth_6 + tenth_7 + tenth_8 + tenth_9
    <> true_positives + false_positives + false_negatives + true_negatives
