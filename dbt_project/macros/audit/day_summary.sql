{#-
    Prints one line of JSON: what the ledger says about a day, why records of it were rejected, and how each data test ended
    when it last ran for that day.

        dbt --quiet run-operation day_summary --args '{day: "2021-01-31"}'
-#}
{% macro day_summary(day) %}
    {%- if not modules.re.fullmatch('\d{4}-\d{2}-\d{2}', day | string) -%}
        {{ exceptions.raise_compiler_error("day_summary: the day is '" ~ day ~ "'; write it as YYYY-MM-DD.") }}
    {%- endif -%}
    {%- set tests = last_test_results(day) -%}
    {%- set counts = {'pass': 0, 'warn': 0, 'fail': 0, 'error': 0, 'skipped': 0} -%}
    {%- for test in tests -%}
        {%- do counts.update({test.status: counts[test.status] + 1}) -%}
    {%- endfor -%}
    {{ print(tojson({
        'day': day | string,
        'ledger': ledger_of(day),
        'tests': counts,
        'not_passed': tests | rejectattr('status', 'equalto', 'pass') | list,
    })) }}
{% endmacro %}


{#- A dict for each of the day's rows; a day that was never built has none. -#}
{% macro ledger_of(day) %}
    {%- set counts = [
        'records_delivered', 'records_quarantined', 'records_staged', 'records_in_marts', 'records_duplicate',
        'records_unattributable',
    ] -%}
    {%- set amounts = ['amount_staged', 'amount_in_marts', 'amount_unattributable'] -%}
    {%- set on_the_day = " where insert_date = " ~ date_literal(day) ~ " order by table_name" -%}
    {%- set rejections = run_query(
        "select table_name, rejection_reason, rejected_records from " ~ ref('stg_rejection') ~ on_the_day
    ).rows -%}
    {%- set rows = run_query(
        "select table_name, is_delivered, is_balanced, " ~ (counts + amounts) | join(", ") ~ " from " ~ ref('ledger') ~ on_the_day
    ).rows -%}
    {%- set ledger = [] -%}
    {%- for row in rows -%}
        {%- set entry = {
            'table_name': row['table_name'], 'is_delivered': row['is_delivered'], 'is_balanced': row['is_balanced'],
        } -%}
        {%- for name in counts -%}{%- do entry.update({name: row[name] | int}) -%}{%- endfor -%}
        {#- As texts: a JSON number may lose digits. -#}
        {%- for name in amounts -%}{%- do entry.update({name: '{:.5f}'.format(row[name])}) -%}{%- endfor -%}
        {%- set reasons = {} -%}
        {%- for rejection in rejections if rejection['table_name'] == row['table_name'] -%}
            {%- do reasons.update({rejection['rejection_reason']: rejection['rejected_records'] | int}) -%}
        {%- endfor -%}
        {%- do entry.update({'rejected': reasons}) -%}
        {%- do ledger.append(entry) -%}
    {%- endfor -%}
    {{ return(ledger) }}
{% endmacro %}


{#-
    [{name, model, status, severity, failures}] of the project's data tests. A single model that was built again runs its own
    tests only, so each test's last result counts, whichever run it is of; a run of everything staged is one of each day.
-#}
{% macro last_test_results(day) %}
    {%- set run_result = source('audit', 'run_result') -%}
    {%- set tests = [] -%}
    {%- if load_relation(run_result) is not none -%}
        {%- set query -%}
            select unique_id, node_name, model_name, status, severity, failures
            from (
                select
                    unique_id, node_name, model_name, status, severity, failures,
                    row_number() over (
                        partition by unique_id order by run_started_at desc, invocation_id desc
                    ) as recency
                from {{ run_result }}
                where
                    resource_type = 'test'
                    and coalesce(from_date, {{ date_literal(day) }}) <= {{ date_literal(day) }}
                    and coalesce(to_date, {{ date_literal(day) }}) >= {{ date_literal(day) }}
            ) as results
            where recency = 1
            order by node_name
        {%- endset -%}
        {#- Tests that the project no longer has are history. -#}
        {%- for row in run_query(query).rows if row['unique_id'] in graph.nodes -%}
            {%- do tests.append({
                'name': row['node_name'], 'model': row['model_name'], 'status': row['status'],
                'severity': row['severity'], 'failures': none if row['failures'] is none else row['failures'] | int,
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(tests) }}
{% endmacro %}
