{#-
    What a source table's YAML says about its external table, checked: {location, columns, partitions}, columns and partitions
    as lists of {name, type} with the warehouse's own types. A key or type that nothing reads is refused rather than
    ignored. `location` in the YAML is the staging root; here it is the table's own folder, absolute.
-#}
{% macro external_spec(table) %}
    {%- set where = "source " ~ table.source_name ~ "." ~ table.name ~ " (" ~ table.original_file_path ~ ")" -%}
    {#- dbt fills in the keys that the YAML leaves out, as none or empty. -#}
    {%- set spec = dict(table.external.items() | selectattr(1)) -%}
    {%- set unknown = spec.keys() | reject('in', ['location', 'file_format', 'partitions']) | list -%}
    {%- if unknown -%}
        {{ exceptions.raise_compiler_error(
            where ~ ": external has unknown keys: " ~ unknown | join(", ")
            ~ ". Known are location, file_format and partitions."
        ) }}
    {%- endif -%}
    {%- if not spec.location -%}
        {{ exceptions.raise_compiler_error(where ~ ": external needs a location, the staging root.") }}
    {%- endif -%}
    {%- if spec.file_format != 'parquet' -%}
        {{ exceptions.raise_compiler_error(
            where ~ ": file_format '" ~ spec.file_format ~ "' is not supported. It has to be parquet."
        ) }}
    {%- endif -%}
    {{ return({
        'location': plain_text(where ~ ": the location (STAGING_URI)", absolute_location(spec.location)) ~ '/' ~ table.name,
        'columns': typed_columns(where, table.columns.values()),
        'partitions': typed_columns(where, spec.get('partitions', [])),
    }) }}
{% endmacro %}


{#- A URI or an absolute path stays as it is; a relative path starts in the project's folder. -#}
{% macro absolute_location(location) %}
    {%- if '://' in location or location.startswith('/') -%}
        {{ return(location.rstrip('/')) }}
    {%- endif -%}
    {{ return(invocation_args_dict.project_dir ~ '/' ~ location.rstrip('/')) }}
{% endmacro %}


{#- The text of a setting, if it is the same text as a literal of any warehouse and as a pattern of files. -#}
{% macro plain_text(what, text) %}
    {%- if modules.re.search("['\\\\*?\\[\\]{}\\x00-\\x1f]", text) -%}
        {{ exceptions.raise_compiler_error(
            what ~ " is " ~ text | tojson ~ ". Give one without quotes, backslashes, wildcards (* ? [ ] { }) and line ends: they mean "
            ~ "something in a statement."
        ) }}
    {%- endif -%}
    {{ return(text) }}
{% endmacro %}


{% macro typed_columns(where, columns) %}
    {%- set types = adapter.dispatch('external_types', 'movie_analytics')() -%}
    {%- set typed = [] -%}
    {%- for column in columns -%}
        {%- set base, _, precision = (column.data_type or '').partition('(') -%}
        {%- if base not in types -%}
            {{ exceptions.raise_compiler_error(
                where ~ ": the data_type of column " ~ column.name ~ " is '" ~ (column.data_type or '') ~ "'. It has to be one of "
                ~ types.keys() | join(", ") ~ "."
            ) }}
        {%- endif -%}
        {#- Of a text only Redshift's has a length that matters; BigQuery's documentation has none for external tables, of numbers neither. -#}
        {%- set is_sized = precision and (target.type == 'redshift' or base == 'decimal' and target.type == 'duckdb') -%}
        {%- do typed.append({
            'name': column.name, 'type': types[base].partition('(')[0] ~ '(' ~ precision if is_sized else types[base],
        }) -%}
    {%- endfor -%}
    {{ return(typed) }}
{% endmacro %}
