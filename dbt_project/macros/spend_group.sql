{#- What Explore calls a customer by purchases alone, of a row of user_profile: the halves are those of int_customer_quadrant,
    cut over all profiles, so it cannot be asked of rows that a join has multiplied or a condition left out. -#}
{%- macro spend_group() -%}
    case
        when invoice_count = 0 then {{ text_literal('No purchase') }}
        when {{ quantile('amount_spent', 2, partition_by='invoice_count > 0') }} = 2 then {{ text_literal('Big spender') }}
        else {{ text_literal('Small spender') }}
    end
{%- endmacro -%}
