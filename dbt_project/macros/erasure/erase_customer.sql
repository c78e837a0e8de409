{#-
    Counts the rows of a customer in every table of the warehouse that may hold them, and with `confirmed` deletes them:

        ERASE_CUSTOMER=12346 dbt --quiet --log-level-file none run-operation erase_customer
        ERASE_CUSTOMER=12346 dbt --quiet --log-level-file none run-operation erase_customer --args '{confirmed: true}'

    The id is no argument: dbt keeps those in its artefacts, and reads 012346 as YAML does, which is 5350. Nor is it to be in dbt's log, which
    has every statement.

    Which tables these are is declared in their YAML: a column with meta `personal_data: identifier` holds the customer's id, one with
    `holds: review` the id of a review, which is the customer's if int_attributed_review says so. A test looks for tables that are not declared.

    It follows the erasure in staging (spark_prep/erasure) and a build of the days that held the customer. That build leaves the rows that
    say whose profile is made again, and those of days whose staging is gone. A try that ended half-way is ended by the next: the table that says
    whose a review is comes last.
-#}
{% macro erase_customer(confirmed=false) %}
    {%- set customer = env_var('ERASE_CUSTOMER', '') -%}
    {%- if not modules.re.fullmatch('\\s*-?[0-9]{1,10}\\s*', customer) -%}
        {{ exceptions.raise_compiler_error("The customer's id, ERASE_CUSTOMER of the environment, is no integer.") }}
    {%- endif -%}
    {%- if execute -%}
        {%- set targets = erasure_targets(customer | int) -%}
        {%- set found = count_rows_to_erase(targets) -%}
        {{ print("the warehouse holds " ~ found | sum(attribute='rows') ~ " rows of the customer, in " ~ found | length ~ " of " ~ targets | length ~ " tables") }}
        {%- for target in found -%}
            {{ print(target.relation.render() ~ "  " ~ target.rows) }}
        {%- endfor -%}
        {%- if confirmed -%}
            {%- for target in found -%}
                {%- call statement(auto_begin=true) -%}
                    delete from {{ target.relation }} where {{ target.is_theirs }}
                {%- endcall -%}
                {%- do adapter.commit() -%}
            {%- endfor -%}
            {%- set left = count_rows_to_erase(targets) -%}
            {%- if left -%}
                {{ exceptions.raise_compiler_error(
                    "There are again rows of the customer in " ~ left | map(attribute='relation') | join(", ")
                    ~ ": something was building. Wait for it, then erase once more."
                ) }}
            {%- endif -%}
            {{ print("searched again: no table of the warehouse holds a row of the customer") }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}


{#- [{relation, is_theirs}] of the tables that exist, in the order in which they are to be erased. -#}
{% macro erasure_targets(customer) %}
    {%- set of_customers = relation_of('int_attributed_review') -%}
    {%- set by_review, by_customer, last = [], [], [] -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name') -%}
        {%- set relation = load_relation(relation_of(node.name)) if node.config.materialized != 'view' else none -%}
        {%- for column in node.columns.values() if relation is not none -%}
            {%- set meta = column.config.meta -%}
            {%- if meta.get('personal_data') == 'identifier' -%}
                {%- set target = {'relation': relation, 'is_theirs': column.name ~ " = " ~ customer} -%}
                {%- do (last if node.name == 'int_attributed_review' else by_customer).append(target) -%}
            {%- elif meta.get('holds') == 'review' -%}
                {%- set theirs = "select review_id from " ~ of_customers ~ " where customer_id = " ~ customer -%}
                {%- do by_review.append({'relation': relation, 'is_theirs': column.name ~ " in (" ~ theirs ~ ")"}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(by_review + by_customer + last) }}
{% endmacro %}


{#- The targets that hold rows, each with `rows`. -#}
{% macro count_rows_to_erase(targets) %}
    {%- set found = [] -%}
    {%- for target in targets -%}
        {%- set rows = run_query("select count(*) from " ~ target.relation ~ " where " ~ target.is_theirs).columns[0].values()[0] | int -%}
        {%- if rows -%}
            {%- do found.append(dict(target, rows=rows)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
