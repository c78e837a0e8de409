{#-
    The ledger's figures, summed by table over the days for which `days` (SQL on insert_date) is true: a dict for each table in
    the order of their names, as numbers, money as texts with all digits (a JSON number may lose some). Days that were never
    built have none.
-#}
{% macro ledger_figures(ledger, days) %}
    {%- set counts = [
        'records_delivered', 'records_quarantined', 'records_staged', 'records_in_marts', 'records_duplicate',
        'records_unattributable',
    ] -%}
    {%- set amounts = ['amount_staged', 'amount_in_marts', 'amount_unattributable'] -%}
    {%- set query -%}
        select
            table_name,
            count(*) as number_of_days,
            sum(case when is_delivered then 0 else 1 end) as days_not_delivered,
            sum(case when is_balanced then 0 else 1 end) as days_not_balanced
            {%- for name in counts + amounts %},
            sum({{ name }}) as {{ name }}
            {%- endfor %}
        from {{ ledger }}
        where {{ days }}
        group by table_name
        order by table_name
    {%- endset -%}
    {%- set figures = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- set table = {
            'table_name': row['table_name'],
            'days': row['number_of_days'] | int,
            'days_not_delivered': row['days_not_delivered'] | int,
            'is_delivered': row['days_not_delivered'] == 0,
            'is_balanced': row['days_not_balanced'] == 0,
        } -%}
        {%- for name in counts -%}{%- do table.update({name: row[name] | int}) -%}{%- endfor -%}
        {%- for name in amounts -%}{%- do table.update({name: '{:.5f}'.format(row[name])}) -%}{%- endfor -%}
        {%- do figures.append(table) -%}
    {%- endfor -%}
    {{ return(figures) }}
{% endmacro %}


{#- The figures as lines for people; with the reasons of what was rejected where `rejected` is among them. -#}
{% macro ledger_lines(heading, figures) %}
    {%- set line = '{:<24} {:>6} {:>14} {:>11} {:>13} {:>10} {:>10} {:>10} {:>15}' -%}
    {%- set lines = [
        heading,
        line.format(
            'table', 'days', 'not delivered', 'delivered', 'quarantined', 'staged', 'in marts', 'duplicate', 'unattributable'
        ),
    ] -%}
    {%- for table in figures -%}
        {%- do lines.append(line.format(
            table.table_name, table.days, table.days_not_delivered, table.records_delivered, table.records_quarantined,
            table.records_staged, table.records_in_marts, table.records_duplicate, table.records_unattributable
        )) -%}
        {%- for reason, records in (table.rejected or {}).items() -%}
            {%- do lines.append('    ' ~ records ~ ' rejected: ' ~ reason) -%}
        {%- endfor -%}
        {%- if table.table_name == 'user_purchase' -%}
            {%- do lines.append('money: ' ~ table.amount_staged ~ ' staged = ' ~ table.amount_in_marts ~ ' in marts + '
                ~ table.amount_unattributable ~ ' unattributable') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lines) }}
{% endmacro %}
