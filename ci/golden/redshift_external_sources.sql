create external schema if not exists analytics_external
from data catalog database 'analytics_external'
iam_role default
create external database if not exists;

create external table dev.analytics_external.classified_movie_review (
    review_id int,
    customer_id int,
    positive_review int,
    classifier varchar(65535),
    classifier_version varchar(65535),
    classifier_score double precision
)
partitioned by (insert_date date)
stored as parquet
location 's3://lake/staging/classified_movie_review';

alter table dev.analytics_external.classified_movie_review add if not exists
partition (insert_date='2021-01-01') location 's3://lake/staging/classified_movie_review/insert_date=2021-01-01/'
partition (insert_date='2021-01-02') location 's3://lake/staging/classified_movie_review/insert_date=2021-01-02/';

create external schema if not exists analytics_external
from data catalog database 'analytics_external'
iam_role default
create external database if not exists;

create external table dev.analytics_external.delivery (
    table_name varchar(65535),
    is_delivered boolean,
    file_count int,
    delivered_records bigint
)
partitioned by (insert_date date)
stored as parquet
location 's3://lake/staging/delivery';

alter table dev.analytics_external.delivery add if not exists
partition (insert_date='2021-01-01') location 's3://lake/staging/delivery/insert_date=2021-01-01/'
partition (insert_date='2021-01-02') location 's3://lake/staging/delivery/insert_date=2021-01-02/';

create external schema if not exists analytics_external
from data catalog database 'analytics_external'
iam_role default
create external database if not exists;

create external table dev.analytics_external.rejection (
    table_name varchar(65535),
    reason varchar(65535),
    records bigint
)
partitioned by (insert_date date)
stored as parquet
location 's3://lake/staging/rejection';

alter table dev.analytics_external.rejection add if not exists
partition (insert_date='2021-01-01') location 's3://lake/staging/rejection/insert_date=2021-01-01/'
partition (insert_date='2021-01-02') location 's3://lake/staging/rejection/insert_date=2021-01-02/';

create external schema if not exists analytics_external
from data catalog database 'analytics_external'
iam_role default
create external database if not exists;

create external table dev.analytics_external.review_logs (
    log_id int,
    log_date date,
    device varchar(65535),
    os varchar(65535),
    location varchar(65535),
    browser varchar(65535),
    ip varchar(65535),
    phone_number varchar(65535),
    pseudonym_key_version varchar(65535)
)
partitioned by (insert_date date)
stored as parquet
location 's3://lake/staging/review_logs';

alter table dev.analytics_external.review_logs add if not exists
partition (insert_date='2021-01-01') location 's3://lake/staging/review_logs/insert_date=2021-01-01/'
partition (insert_date='2021-01-02') location 's3://lake/staging/review_logs/insert_date=2021-01-02/';

create external schema if not exists analytics_external
from data catalog database 'analytics_external'
iam_role default
create external database if not exists;

create external table dev.analytics_external.user_purchase (
    invoice_number varchar(65535),
    stock_code varchar(65535),
    detail varchar(65535),
    quantity int,
    invoice_date timestamp,
    unit_price decimal(8,3),
    customer_id int,
    country varchar(65535)
)
partitioned by (insert_date date)
stored as parquet
location 's3://lake/staging/user_purchase';

alter table dev.analytics_external.user_purchase add if not exists
partition (insert_date='2021-01-01') location 's3://lake/staging/user_purchase/insert_date=2021-01-01/'
partition (insert_date='2021-01-02') location 's3://lake/staging/user_purchase/insert_date=2021-01-02/';

