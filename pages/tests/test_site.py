"""The docs site: what its pages say, and how they behave in a real browser with the network cut.

dbt's and dbdocs' own pages are held to loading, working and keeping off the network. How accessible they are, and how
they look on a narrow screen, is not checked: they are not ours.
"""

import json
import re

import pytest
from playwright.sync_api import expect

from pages.browser import NARROW, PATIENCE, WIDE, opened
from pages.docs_site.architecture import architecture_svg, layers
from pages.docs_site.relations import relations, relations_svg
from pages.docs_site.search import other_words, search_index
from pages.tests.browser import accessibility_violations, broken_links, is_wider_than_the_window, screenshot

pytestmark = pytest.mark.slow


def test_the_front_page_works_in_every_scheme_and_width(browser, docs_site):
    for scheme in ("light", "dark"):
        for width in (WIDE, NARROW):
            with opened(browser, docs_site / "index.html", scheme=scheme, width=width) as page:
                screenshot(page, f"docs-index-{scheme}-{width}")
                assert accessibility_violations(page) == []
                assert not is_wider_than_the_window(page)
                assert page.locator("svg .box").first.is_visible()


def test_the_front_page_tells_what_the_manifest_knows(browser, docs_site, manifest):
    with opened(browser, docs_site / "index.html") as page:
        text = page.text_content("main") or ""
        assert broken_links(page) == []
    for nodes in ("metrics", "exposures", "sources"):
        assert all(node["name"] in text for node in manifest[nodes].values())
    assert "no better than a coin" in text and "PII: pseudonym" in text
    assert "stg_review_logs" in text.split("Personal data")[-1]


def test_the_front_page_begins_with_what_analysts_ask_for(browser, docs_site):
    """Search, a list of contents, the marts; a name leads to its page. How it is built comes last."""
    with opened(browser, docs_site / "index.html", site=docs_site) as page:
        headings = page.locator("main h1, main h2").all_inner_texts()
        assert headings[:2] == ["Movie analytics", "Grains"]
        assert headings.index("Layers") > headings.index("Glossary")
        contents = page.locator(".contents a").all_inner_texts()
        assert contents == headings[1:]
        # What is long is closed, and opens for whoever follows a link into it.
        assert page.evaluate("document.documentElement.scrollHeight") < 3 * 900
        assert page.locator("details.part[open]").count() == 2
        for link, inside in (
            (".contents a[href='#glossary']", "unknown member"),
            (".contents a[href='#metrics']", "retention"),
        ):
            page.locator(link).click()
            expect(page.get_by_role("cell", name=inside, exact=True).last).to_be_visible()
        assert (page.locator("h3").first.text_content() or "").strip() == "Used by"
        page.locator("td a", has_text=re.compile("^dim_browser$")).first.click()
        assert page.url.endswith("tables/dim_browser.html")


@pytest.mark.parametrize("name", ["dbt_docs", "lineage"])
def test_a_page_of_others_leads_back(browser, docs_site, name):
    with opened(browser, docs_site / f"{name}.html", site=docs_site) as page:
        page.get_by_role("link", name="Movie analytics: docs").click()
        page.get_by_role("heading", name="Grains").wait_for()
    # and, from where lines are drawn between tables, to the picture of their relations that can be read
    with opened(browser, docs_site / f"{name}.html", site=docs_site) as page:
        page.get_by_role("navigation", name="Movie analytics").get_by_role("link", name="Relations").click()
        expect(page.locator("#relations svg")).to_be_in_viewport()


def test_the_site_has_one_name(docs_site):
    for file in (*docs_site.glob("*.html"), *docs_site.glob("*/*.html")):
        (title,) = re.findall("<title>(.*?)</title>", file.read_text())[:1]
        assert "Movie analytics" in title, file.name


def test_links_lead_to_the_right_page_of_dbts_docs(browser, docs_site, manifest):
    files = [docs_site / "index.html", *(docs_site / "tables").iterdir()]
    links = [
        link
        for file in files
        for link in re.findall(r'href="(?:../)?dbt_docs.html(#!/[^"]+)">', file.read_text())
    ]
    assert len(links) > 60
    nodes = {**manifest["nodes"], **manifest["sources"], **manifest["exposures"], **manifest["metrics"]}
    with opened(browser, docs_site / "dbt_docs.html", "#!/overview") as page:
        for link in links:
            node = nodes[link.rsplit("/")[-1]]
            page.evaluate("link => { location.hash = link }", link)
            # dbt's page puts the label into the heading where there is one.
            heading = page.get_by_role("heading", level=1, name=node.get("label") or node["name"])
            heading.first.wait_for()


def tables_of(manifest) -> list[dict]:
    return [
        node
        for node in (*manifest["sources"].values(), *manifest["nodes"].values())
        if node["resource_type"] in ("source", "seed", "model")
    ]


def test_every_table_has_a_page_with_its_columns_key_and_tests(docs_site, manifest):
    pages = {file.stem: file.read_text() for file in (docs_site / "tables").iterdir()}
    assert sorted(pages) == sorted(node["name"] for node in tables_of(manifest))
    for node in tables_of(manifest):
        page = pages[node["name"]]
        assert all(f'<tr id="{column}">' in page for column in node["columns"]), node["name"]
    tested = [test for test in manifest["nodes"].values() if test.get("attached_node")]
    assert len(tested) > 50
    for test in tested:
        (page,) = [
            pages[node["name"]] for node in tables_of(manifest) if node["unique_id"] == test["attached_node"]
        ]
        assert f"<code>{test['name']}</code>" in page
        if (test["test_metadata"] or {}).get("name") == "relationships":
            (joined,) = set(test["depends_on"]["nodes"]) - {test["attached_node"]}
            assert f'Joins <a href="{joined.rsplit(".")[-1]}.html">' in page
    for table in ("user_behavior_metric", "user_segment_history"):
        assert 'Joins <a href="user_profile.html">' in pages[table]
    fact = pages["fact_movie_analytics"]
    assert 'One row for each</dt><dd><a href="#id_fact_movie_analytics">' in fact
    assert re.search(
        r'<tr id="amount_spent"><td><code>amount_spent</code></td><td>decimal\(\d+,\d+\)</td>', fact
    )
    assert "select * from analytics_marts.fact_movie_analytics limit 10;" in fact
    assert (
        'Comes from <a href="int_customer_purchase.html#amount_spent">int_customer_purchase.amount_spent</a>, '
        '<a href="int_attributed_review.html">rows of int_attributed_review</a>.' in fact
    )
    # and so on down to what was delivered, a line for each step
    amount = fact.split('<tr id="amount_spent">')[1].split("</tr>")[0]
    steps = [
        re.sub("<[^>]*>", "", step)
        for step in re.findall('<span class="origin">(.*?)</span>', amount, re.DOTALL)
    ]
    assert "stg_user_purchase.amount" in steps[1] and all(step.startswith("which come") for step in steps[1:])
    (sources,) = re.findall("<summary>Down to ([^<]*)<", amount)
    assert {"user_purchase.quantity", "user_purchase.unit_price"} <= set(
        sources.split(", ")
    ) and "int_" not in sources
    for table, column in (
        ("customer_cohort_retention", "retention"),
        ("ledger_agreement", "kappa"),
        ("ledger", "records_staged"),
    ):
        row = pages[table].split(f'<tr id="{column}">')[1].split("</tr>")[0]
        assert re.search("(Comes from|Depends on) <a", row) and "<summary>Down to " in row, column
    assert 'Depends on <a href="int_log_member.html#member">int_log_member.member</a>.' in pages["dim_date"]


@pytest.mark.parametrize("table", ["fact_movie_analytics", "review_logs", "ledger", "int_customer_day"])
def test_the_page_of_a_table_works_in_every_scheme_and_width(browser, docs_site, table):
    for scheme in ("light", "dark"):
        for width in (WIDE, NARROW):
            with opened(
                browser, docs_site / "tables" / f"{table}.html", scheme=scheme, width=width, site=docs_site
            ) as page:
                screenshot(page, f"docs-{table}-{scheme}-{width}")
                assert accessibility_violations(page) == []
                assert broken_links(page) == []
                assert not is_wider_than_the_window(page)


JOINED = {
    *((("fact_movie_analytics", f"id_{name}", name, f"id_{name}", False)) for name in ("dim_date", "dim_devices", "dim_location", "dim_os", "dim_browser")),
    *((table, "customer_id", "user_profile", "customer_id", table == "customer_history_nested")
      for table in ("fact_movie_analytics", "user_behavior_metric", "user_segment_history", "customer_history_nested")),
    ("fact_movie_analytics", "insert_date", "ledger_classifier", "insert_date", False),
    ("misspelt_location", "state", "us_state", "state", False),
    ("dim_location", "location", "us_state", "state", False),
    ("dim_os", "os", "operating_system", "os", False),
}  # fmt: skip


def test_relations_are_those_that_the_project_declares(manifest):
    found = {
        (table.split(".")[-1], column, other.split(".")[-1], *rest)
        for table, column, other, *rest in relations(manifest)
    }
    assert found - {each for each in found if each[0] in ("misspelt_location", "dim_location", "dim_os")} == {
        each for each in JOINED if each[0] not in ("misspelt_location", "dim_location", "dim_os")
    }
    assert {each[:4] for each in found} == {each[:4] for each in JOINED}
    # Only between tables for analysts, and one table of a project without any is no picture.
    nodes = {name: {**node, "access": "protected"} for name, node in manifest["nodes"].items()}
    assert relations_svg({**manifest, "nodes": nodes}, {}) == ""


def test_the_picture_of_the_relations_is_readable_at_first_sight(browser, docs_site):
    """Each joined table once, with a line for each relation; no letter below 11 pixels, none over another or outside; names lead to pages."""
    for scheme in ("light", "dark"):
        for width in (1440, WIDE, NARROW):
            with opened(browser, docs_site / "index.html", scheme=scheme, width=width) as page:
                picture = page.locator("#relations .scroll svg")
                names = picture.locator("a").all_text_contents()
                assert sorted(names) == sorted(
                    {
                        table
                        for each in JOINED
                        if each[0] != "misspelt_location"
                        for table in (each[0], each[2])
                    }
                    - {"us_state", "operating_system"}
                )
                assert picture.locator("path.edge").count() == 10
                assert picture.evaluate(READABLE) == []
                if width == 1440:
                    assert picture.evaluate("svg => svg.parentNode.scrollWidth <= svg.parentNode.clientWidth")
    with opened(browser, docs_site / "index.html", site=docs_site) as page:
        page.locator("svg a", has_text=re.compile("^user_profile$")).first.click()
        assert page.url.endswith("tables/user_profile.html")


READABLE = """svg => {
    const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect(), scale * parseFloat(getComputedStyle(text).fontSize)]);
    const faults = texts.filter(([, box, size]) => size < 11 || box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom);
    const over = texts.filter(([said, a], n) => texts.slice(n + 1).some(([other, b]) => said + other !== "11" &&
        a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4));
    return [...faults, ...over].map(([text]) => text);
}"""


def test_the_diagram_of_the_tables_is_in_its_own_size_and_leads_to_their_pages(browser, docs_site):
    for width in (1440, NARROW):
        with opened(browser, docs_site / "index.html", fragment="#architecture", width=width) as page:
            diagram = page.locator("#architecture .scroll svg")
            assert (
                diagram.evaluate("svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width")
                >= 0.99
            )
            assert diagram.locator("a").count() == diagram.locator(".box").count()


def test_the_search_finds_columns_first_and_leads_to_what_they_mean(browser, docs_site):
    with opened(browser, docs_site / "index.html") as page:
        page.get_by_label("Find a column").fill("amount_spent")
        found = page.locator("#found li")
        assert found.first.inner_text().split(" · ")[0].split("\n")[1] == "column"
        names = page.locator("#found a").all_inner_texts()
        columns = [name for name in names if name.endswith(".amount_spent")]
        assert len(columns) > 8
        # marts before what they are made from
        is_mart = [not name.startswith(("int_", "stg_")) for name in columns]
        assert is_mart == sorted(is_mart, reverse=True) and "fact_movie_analytics.amount_spent" in columns[:6]
        assert accessibility_violations(page) == []
        assert broken_links(page) == []
        page.get_by_label("Find a column").fill("net money customer")
        assert page.locator("#found a").count() > 0
        # What is called so comes before what begins so, whatever it is.
        page.get_by_label("Find a column").fill("retention")
        kinds = [line.split("\n")[1].split(" · ")[0] for line in found.all_inner_texts()]
        assert kinds[:3] == ["column", "metric", "word"]
        page.get_by_label("Find a column").fill("order")
        assert found.first.inner_text().startswith("order\nword · ")
        page.get_by_label("Find a column").fill("unattributable")
        assert page.locator("#found li", has_text="word · a record without a customer").count() == 1
        page.get_by_label("Find a column").fill("<b>nothing</b>")
        assert page.inner_text("#found-count") == "Nothing found" and found.count() == 0
        page.get_by_label("Find a column").fill("fact amount_spent")
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url.endswith("tables/fact_movie_analytics.html#amount_spent")
        row = page.locator("tr:target").inner_text()
        assert "net money" in row and "Comes from int_customer_purchase.amount_spent" in row


def found_by(page, words: str) -> list[str]:
    page.get_by_label("Find a column").fill(words)
    return page.locator("#found li").all_inner_texts()


def test_the_search_knows_other_words_tests_and_pages_of_the_report(browser, docs_site, manifest):
    overview = manifest["docs"]["doc.movie_analytics.__overview__"]["block_contents"]
    words = dict(other_words(overview))
    assert len(words) > 50 and "Other words" in overview
    with opened(browser, docs_site / "index.html", site=docs_site) as page:
        # Every one of them finds what it is said to be.
        for word, here in words.items():
            found = "\n".join(found_by(page, word)).lower()
            assert any(name in found for name in here), word
        for words_of_a_stranger, first in (
            ("revenue", ".amount_spent"),
            ("stars", ".review_score"),
            ("user revenue", "customer"),
        ):
            assert first in "".join(found_by(page, words_of_a_stranger)[:8]), words_of_a_stranger
        assert "test ·" in found_by(page, "device_never_seen_before")[0]
        assert any("page ·" in line for line in found_by(page, "who orders again"))
        assert broken_links(page) == []
        page.locator("#found a", has_text="Report: customers").click()
        page.get_by_role("heading", name="Customers", exact=True).wait_for()
        page.go_back()
        assert found_by(page, "constructor") == []
        found_by(page, "device_never_seen_before")
        page.locator("#found a").first.click()
        assert "device_never_seen_before" in page.locator("tr:target").inner_text()


def test_without_a_report_its_pages_are_those_of_dbts_docs(manifest):
    for report, address in (
        ("", "dbt_docs.html#!/exposure/exposure.movie_analytics.report_runs"),
        ("r/index.html", "r/runs.html"),
    ):
        entries = json.loads(search_index(manifest, [], report, ""))["entries"]
        assert [entry[4] for entry in entries if entry[:2] == ["page", "Report: runs"]] == [address]


def test_no_description_can_end_the_script_of_the_search():
    table = {
        "name": "t",
        "page": "tables/t.html",
        "description": "a `</script>` *b*",
        "columns": [],
        "tests": [],
        "is_public": True,
    }
    index = search_index({"metrics": {}, "exposures": {}, "nodes": {}}, [table], "", "")
    assert "<" not in index
    assert json.loads(index)["entries"] == [["table", "t", "", "a </script> b", "tables/t.html"]]


def test_dbts_docs_show_the_overview_and_badges_of_personal_data(browser, docs_site):
    with opened(browser, docs_site / "dbt_docs.html", "#!/overview") as page:
        page.get_by_role("heading", name="Glossary").wait_for()
        screenshot(page, "dbt-docs-overview")
    with opened(
        browser, docs_site / "dbt_docs.html", "#!/source/source.movie_analytics.staging.review_logs"
    ) as page:
        page.get_by_text("PII: pseudonym.").first.wait_for()
        screenshot(page, "dbt-docs-source")
    with opened(browser, docs_site / "dbt_docs.html", "#!/overview?g_v=1") as page:
        page.get_by_text("Lineage Graph").first.wait_for()
        page.wait_for_timeout(1000)
        screenshot(page, "dbt-docs-graph")


@pytest.mark.parametrize("name", ["index", "dbt_docs", "lineage"])
def test_a_request_to_the_network_is_stopped_by_the_page_itself(browser, docs_site, name):
    with pytest.raises(RuntimeError, match="asks for"), opened(browser, docs_site / f"{name}.html") as page:
        stopped_by = page.evaluate(
            """patience => new Promise(done => {
                addEventListener("securitypolicyviolation", event => done(event.effectiveDirective));
                setTimeout(() => done("nothing"), patience);
                new Image().src = "http://127.0.0.1:9/pixel.png";
            })""",
            PATIENCE,
        )
    assert stopped_by == "img-src"


def test_the_diagram_of_relations_has_every_tested_relation_of_the_marts(browser, docs_site, manifest):
    related = [
        test
        for test in manifest["nodes"].values()
        if (test.get("test_metadata") or {}).get("name") == "relationships"
        and all(
            manifest["nodes"][node]["config"]["schema"] == "marts" for node in test["depends_on"]["nodes"]
        )
    ]
    assert len(related) >= 5
    with opened(browser, docs_site / "lineage.html", "#/erd") as page:
        # drawn piece by piece
        expect(page.locator(".react-flow__edge")).to_have_count(len(related))
        expect(page.locator(".react-flow__node")).to_have_count(
            sum(
                node["resource_type"] == "model" and node["config"]["schema"] == "marts"
                for node in manifest["nodes"].values()
            )
        )
        page.wait_for_timeout(500)
        screenshot(page, "lineage-relations")


def test_column_lineage_leads_to_the_column_it_comes_from(browser, docs_site):
    with opened(
        browser, docs_site / "lineage.html", "#/node/model.movie_analytics.fact_movie_analytics"
    ) as page:
        row = page.locator("tr", has=page.locator("code", has_text=re.compile("^review_score$"))).first
        assert "int_attributed_review.positive_review" in row.inner_text().replace("\n", "")
        screenshot(page, "lineage-fact")
    with opened(browser, docs_site / "lineage.html", "#/dag") as page:
        page.locator(".react-flow__node").first.wait_for()
        screenshot(page, "lineage-dag")
        shown = page.inner_text("body")
    assert "Buy me a coffee" not in shown and "Dat Nguyen" not in shown
    assert "report_ledger" not in shown and "fact_movie_analytics" in shown


def test_the_architecture_has_every_table_and_every_dependency(manifest):
    drawn = layers(manifest)
    names = [node["name"] for nodes in drawn.values() for node in nodes]
    expected = [
        node["name"]
        for node in (
            *manifest["sources"].values(),
            *manifest["nodes"].values(),
            *manifest["exposures"].values(),
        )
        if node["resource_type"] in ("source", "seed", "snapshot", "model", "exposure")
    ]
    assert sorted(names) == sorted(expected)
    svg = architecture_svg(drawn)
    assert all(f">{name}<" in svg for name in names)
    assert svg.count('class="box"') == len(names)
    assert svg.count('class="edge"') == sum(
        len(node["parents"]) for nodes in drawn.values() for node in nodes
    )
    # What only prepares is not among what analysts read.
    assert {manifest["nodes"][node["id"]]["access"] for node in drawn["customers"]} == {"public"}
    assert {manifest["nodes"][node["id"]]["access"] for node in drawn["preparation"]} == {"protected"}
    mart = manifest["nodes"]["model.movie_analytics.fact_movie_analytics"]
    assert f"fill:{mart['config']['docs']['node_color']}" in svg


def test_a_layer_that_the_diagram_does_not_know_is_drawn_all_the_same(manifest):
    manifest = json.loads(json.dumps(manifest))
    manifest["nodes"]["model.movie_analytics.ledger"]["path"] = "audit/ledger.sql"
    assert ">Audit</text>" in architecture_svg(layers(manifest))


@pytest.mark.parametrize(
    ("body", "noticed"),
    [
        ('<img src="http://127.0.0.1:9/pixel.png" alt="">', "asks for"),
        ('<script>console.error("broken")</script>', "reports"),
        ("<script>missing()</script>", "reports"),
    ],
    ids=["request", "console", "exception"],
)
def test_an_opened_page_may_ask_for_nothing_and_report_nothing(browser, tmp_path, body, noticed):
    (tmp_path / "page.html").write_text(f"<!doctype html><title>x</title><h1>x</h1>{body}")
    with pytest.raises(RuntimeError, match=noticed), opened(browser, tmp_path / "page.html") as page:
        page.wait_for_timeout(300)


def test_the_checks_of_a_page_see_what_is_wrong(browser, tmp_path):
    (tmp_path / "page.html").write_text(
        '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><p style="color:#bbb">faint</p>'
        '<a href="#nowhere">a</a> <a href="lost.html">b</a> <a href="#here">c</a><p id="here" style="width:3000px">'
        '<a href="https://example.com">d</a></main>'
    )
    with opened(browser, tmp_path / "page.html") as page:
        assert "color-contrast" in {line.split(":")[0] for line in accessibility_violations(page)}
        assert [link.rsplit("/")[-1] for link in broken_links(page)] == [
            "page.html#nowhere",
            "lost.html",
            "",
        ]
        assert is_wider_than_the_window(page)
