{{ config(dist='customer_id', sort='customer_id', cluster_by='customer_id') }}

with

int_touched_line as (

    select * from {{ ref('int_touched_line') }}

),

customers as (

    select distinct customer_id from int_touched_line

),

countries as (

    select
        customer_id,
        country as country_name,
        row_number() over (partition by customer_id order by max(invoiced_at) desc, country asc) as place
    from int_touched_line
    where country is not null
    group by customer_id, country

),

latest_country as (

    select
        customer_id,
        max(case when place = 1 then country_name end) as country_name,
        count(*) as country_count
    from countries
    group by customer_id

),

products as (

    select
        customer_id,
        stock_code,
        row_number() over (partition by customer_id order by sum(amount) desc, stock_code asc) as place
    from int_touched_line
    where amount > 0 and is_article and stock_code is not null
    group by customer_id, stock_code

),

final as (

    select
        customers.customer_id,
        latest_country.country_name as country,
        cast(coalesce(latest_country.country_count, 0) as {{ dbt.type_bigint() }}) as country_count,
        products.stock_code as top_product
    from customers
    left join latest_country
        on customers.customer_id = latest_country.customer_id
    left join products
        on
            customers.customer_id = products.customer_id
            and products.place = 1

)

select * from final
