{#-
    Prints one line of JSON: what the ledger says about a day, why records of it were rejected, and how each data test ended
    when it last ran for that day.

        dbt --quiet run-operation day_summary --args '{day: "2021-01-31"}'
-#}
{% macro day_summary(day) %}
    {%- if not is_iso_date(day | string) -%}
        {{ exceptions.raise_compiler_error("day_summary: the day is '" ~ day ~ "'; write it as YYYY-MM-DD.") }}
    {%- endif -%}
    {%- set ledger, tests = ledger_of(day), last_test_results(day) -%}
    {%- set counts = {'pass': 0, 'warn': 0, 'fail': 0, 'error': 0, 'skipped': 0} -%}
    {%- for test in tests -%}
        {%- do counts.update({test.status: counts[test.status] + 1}) -%}
    {%- endfor -%}
    {{ print(tojson({
        'day': day | string,
        'ledger': ledger,
        'ledger_lines': ledger_lines("Ledger of " ~ day, ledger),
        'tests': counts,
        'not_passed': tests | rejectattr('status', 'equalto', 'pass') | list,
    })) }}
{% endmacro %}


{#- The day's figures (ledger_figures), each table's with {reason: records} of what was rejected. -#}
{% macro ledger_of(day) %}
    {%- set on_the_day = "insert_date = " ~ date_literal(day) -%}
    {%- set rejections = run_query(
        "select table_name, rejection_reason, rejected_records from " ~ ref('ledger_rejection') ~ " where " ~ on_the_day
    ).rows -%}
    {%- set ledger = ledger_figures(ref('ledger'), on_the_day) -%}
    {%- for table in ledger -%}
        {%- do table.update({'rejected': {}}) -%}
        {%- for row in rejections | sort(attribute='rejection_reason') if row['table_name'] == table.table_name -%}
            {%- do table.rejected.update({row['rejection_reason']: row['rejected_records'] | int}) -%}
        {%- endfor -%}
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
