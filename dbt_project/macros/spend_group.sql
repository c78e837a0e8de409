{#- What Explore calls a customer by purchases, of a row of user_profile; without a row, No purchase. -#}
{%- macro spend_group(profile) -%}
    case
        when {{ profile }}.spend_sentiment_quadrant like 'big spender%' then {{ text_literal('Big spender') }}
        when {{ profile }}.spend_sentiment_quadrant like 'small spender%' then {{ text_literal('Small spender') }}
        when {{ profile }}.invoice_count > 0 then {{ text_literal('Bought, never wrote') }}
        else {{ text_literal('No purchase') }}
    end
{%- endmacro -%}
