{#-
    The checked `external:` property of a source table: {location, file_format, partitions}. A key that nothing reads is
    refused rather than ignored. `location` in the YAML is the staging root; here it is the table's own folder, absolute.
-#}
{% macro external_spec(table) %}
    {%- set spec = {} -%}
    {%- for key, value in table.external.items() if value -%}
        {%- do spec.update({key: value}) -%}
    {%- endfor -%}
    {%- set where = "source " ~ table.source_name ~ "." ~ table.name ~ " (" ~ table.original_file_path ~ ")" -%}

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
    {%- for column in table.columns.values() if not column.data_type -%}
        {{ exceptions.raise_compiler_error(where ~ ": column " ~ column.name ~ " needs a data_type.") }}
    {%- endfor -%}

    {{ return({
        'location': absolute_location(spec.location) ~ '/' ~ table.name,
        'partitions': spec.get('partitions', []),
    }) }}
{% endmacro %}


{#- A URI or an absolute path stays as it is; a relative path starts in the project's folder. -#}
{% macro absolute_location(location) %}
    {%- if '://' in location or location.startswith('/') -%}
        {{ return(location.rstrip('/')) }}
    {%- endif -%}
    {{ return(flags.PROJECT_DIR ~ '/' ~ location.rstrip('/')) }}
{% endmacro %}
