{#-
    A deterministic integer key (bigint): the first 15 hex digits (60 bits) of the MD5 of the values, so that it is never
    negative and the same in every warehouse and on every rebuild. Values are compared as text in lower case, separated
    by '|'; NULL counts as the empty text. (substr is the same, but Redshift runs it on the leader node only.)
-#}
{% macro surrogate_key(columns) -%}
    {%- set texts = [] -%}
    {%- for column in columns -%}
        {%- do texts.append("coalesce(lower(cast(" ~ column ~ " as " ~ type_text() ~ ")), '')") -%}
    {%- endfor -%}
    {{ hex_to_bigint("substring(" ~ md5_hex(texts | join(" || '|' || ")) ~ ", 1, 15)") }}
{%- endmacro %}
