{#-
    What an operator wants to read after a build: where the records and the money of the run's days went, how much was
    built and tested, and where it is. Printed when the run built the ledger; a run of other models stays quiet.
-#}
{% macro print_ledger(results, ledger) %}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
    {%- if execute and 'model.' ~ project_name ~ '.ledger' in built -%}
        {%- set run = days_of_run() -%}
        {%- set sums -%}
            select
                table_name,
                count(*) as days,
                sum(case when is_delivered then 0 else 1 end) as days_not_delivered,
                sum(records_delivered) as records_delivered,
                sum(records_quarantined) as records_quarantined,
                sum(records_staged) as records_staged,
                sum(records_in_marts) as records_in_marts,
                sum(records_duplicate) as records_duplicate,
                sum(records_unattributable) as records_unattributable,
                sum(amount_staged) as amount_staged,
                sum(amount_in_marts) as amount_in_marts,
                sum(amount_unattributable) as amount_unattributable
            from {{ ledger }}
            where {{ is_day_of_run('insert_date') }}
            group by table_name
            order by table_name desc
        {%- endset -%}
        {%- set rows = run_query(sums).rows -%}
        {%- set line = "%-24s %6s %14s %11s %13s %10s %10s %10s %15s" -%}
        {{ print("") }}
        {{ print("Ledger of " ~ (run.from_date ~ " to " ~ run.to_date if run else "all days")) }}
        {{ print(line | format("table", "days", "not delivered", "delivered", "quarantined", "staged", "in marts", "duplicate", "unattributable")) }}
        {%- for row in rows -%}
            {{ print(line | format(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8])) }}
        {%- endfor -%}
        {%- for row in rows if row[0] == 'user_purchase' -%}
            {{ print("money: " ~ row[9] ~ " staged = " ~ row[10] ~ " in marts + " ~ row[11] ~ " unattributable") }}
        {%- endfor -%}
        {{ print("") }}
        {{ print(run_counts(results)) }}
        {%- for test in results if test.status in ['warn', 'fail', 'error'] -%}
            {{ print("  " ~ test.status ~ " " ~ test.node.name ~ ": " ~ (test.failures or "no") ~ " rows. "
                ~ test.node.description | trim) }}
        {%- endfor -%}
        {{ print("marts       schema " ~ target.schema ~ "_marts of "
            ~ (target.path if target.type == 'duckdb' else target.type ~ " " ~ (target.dbname or target.project))) }}
    {%- endif -%}
{% endmacro %}


{#- "9 marts built; 48 tests passed, 2 warned, 0 failed" -#}
{% macro run_counts(results) %}
    {%- set marts = results
        | selectattr('node.resource_type', 'equalto', 'model')
        | selectattr('status', 'equalto', 'success')
        | selectattr('node.schema', 'equalto', target.schema ~ '_marts') | list -%}
    {%- set tests = results | selectattr('node.resource_type', 'in', ['test', 'unit_test']) | list -%}
    {%- set count = namespace(passed=0, warned=0, failed=0) -%}
    {%- for test in tests -%}
        {%- if test.status == 'pass' -%}{%- set count.passed = count.passed + 1 -%}
        {%- elif test.status == 'warn' -%}{%- set count.warned = count.warned + 1 -%}
        {%- else -%}{%- set count.failed = count.failed + 1 -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return((marts | length) ~ " marts built; " ~ count.passed ~ " tests passed, " ~ count.warned ~ " warned, "
        ~ count.failed ~ " failed or skipped") }}
{% endmacro %}
