{# Whole months around the asked sessions, because an incremental model replaces whole partitions of months. #}
{% macro within_sessions(column) -%}
    {% if is_incremental() and var('first_session') and var('last_session') -%}
    {{ column }} between toStartOfMonth(toDate('{{ var("first_session") }}')) and toLastDayOfMonth(toDate('{{ var("last_session") }}'))
    {%- else -%}
    true
    {%- endif %}
{%- endmacro %}
