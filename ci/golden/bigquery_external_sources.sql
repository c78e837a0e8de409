create schema if not exists local.analytics_external
options (location = 'EU');

create or replace external table local.analytics_external.classified_movie_review (
    review_id int64,
    customer_id int64,
    positive_review int64,
    classifier string,
    classifier_version string,
    classifier_score float64
)
with partition columns (insert_date date)
options (
    format = 'PARQUET',
    uris = ['gs://lake/staging/classified_movie_review/*'],
    hive_partition_uri_prefix = 'gs://lake/staging/classified_movie_review',
    require_hive_partition_filter = false,
    description = 'Made by stage_external_sources, definition fea54eaa55525c8e0413ceddbeb44b88'
);

create schema if not exists local.analytics_external
options (location = 'EU');

create or replace external table local.analytics_external.delivery (
    table_name string,
    is_delivered bool,
    file_count int64,
    delivered_records int64
)
with partition columns (insert_date date)
options (
    format = 'PARQUET',
    uris = ['gs://lake/staging/delivery/*'],
    hive_partition_uri_prefix = 'gs://lake/staging/delivery',
    require_hive_partition_filter = false,
    description = 'Made by stage_external_sources, definition f99df744ed9db6500506c5aa6e3f9bfc'
);

create schema if not exists local.analytics_external
options (location = 'EU');

create or replace external table local.analytics_external.rejection (
    table_name string,
    reason string,
    records int64
)
with partition columns (insert_date date)
options (
    format = 'PARQUET',
    uris = ['gs://lake/staging/rejection/*'],
    hive_partition_uri_prefix = 'gs://lake/staging/rejection',
    require_hive_partition_filter = false,
    description = 'Made by stage_external_sources, definition 748126f7c44ae3364a524d5b7d822a60'
);

create schema if not exists local.analytics_external
options (location = 'EU');

create or replace external table local.analytics_external.review_logs (
    log_id int64,
    log_date date,
    device string,
    os string,
    location string,
    browser string,
    ip string,
    phone_number string,
    pseudonym_key_version string
)
with partition columns (insert_date date)
options (
    format = 'PARQUET',
    uris = ['gs://lake/staging/review_logs/*'],
    hive_partition_uri_prefix = 'gs://lake/staging/review_logs',
    require_hive_partition_filter = false,
    description = 'Made by stage_external_sources, definition 7572f299f9e7f8eab9281827059c2bdd'
);

create schema if not exists local.analytics_external
options (location = 'EU');

create or replace external table local.analytics_external.user_purchase (
    invoice_number string,
    stock_code string,
    detail string,
    quantity int64,
    invoice_date timestamp,
    unit_price numeric(8,3),
    customer_id int64,
    country string
)
with partition columns (insert_date date)
options (
    format = 'PARQUET',
    uris = ['gs://lake/staging/user_purchase/*'],
    hive_partition_uri_prefix = 'gs://lake/staging/user_purchase',
    require_hive_partition_filter = false,
    description = 'Made by stage_external_sources, definition 0b24338ab53e6a84f9685f13cefa2ca3'
);

