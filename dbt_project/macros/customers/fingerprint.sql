{#-
    An aggregate: a number that differs when any of a group's rows differ, in whatever order they come: the sum of the first 60 bits of
    each row's MD5. Values are compared exactly, as text. 28 digits hold ten billion rows in every warehouse.

    Pairs of pairs are joined, so that the expression stays flat: parsers limit how deep it may be.
-#}
{% macro fingerprint(columns) -%}
    {%- set joined = namespace(texts=[]) -%}
    {%- for column in columns -%}
        {%- do joined.texts.append("coalesce(cast(" ~ column ~ " as " ~ type_text() ~ "), '~')") -%}
    {%- endfor -%}
    {%- for _ in columns if joined.texts | length > 1 -%}
        {%- set pairs = [] -%}
        {%- for pair in joined.texts | batch(2) -%}
            {%- do pairs.append("(" ~ pair | join(" || '|' || ") ~ ")") -%}
        {%- endfor -%}
        {%- set joined.texts = pairs -%}
    {%- endfor -%}
    {%- set row_number = hex_to_bigint("substring(" ~ md5_hex(joined.texts[0]) ~ ", 1, 15)") -%}
    cast(sum(cast({{ row_number }} as decimal(28, 0))) as decimal(28, 0))
{%- endmacro %}
