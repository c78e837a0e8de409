{#-
    What an operator wants to read after a build: where the records and the money of the run's days went, how much was
    built and tested, and where it is. Printed when the run built the ledger; a run of other models stays quiet.
-#}
{% macro print_ledger(results, ledger) %}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
    {%- if execute and 'model.' ~ project_name ~ '.ledger' in built -%}
        {%- set run = days_of_run() -%}
        {%- set heading = "Ledger of " ~ (run.from_date ~ " to " ~ run.to_date if run else "all days") -%}
        {{ print("") }}
        {%- for line in ledger_lines(heading, ledger_figures(ledger, is_day_of_run('insert_date'))) -%}
            {{ print(line) }}
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
