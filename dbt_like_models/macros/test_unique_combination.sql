{# The grain of a model: no two rows share all of these columns. #}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count() as copies
from {{ model }}
group by {{ columns | join(', ') }}
having copies > 1
{% endtest %}
