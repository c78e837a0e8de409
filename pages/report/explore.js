// The page Explore: filters, charts and a table over the rows that the page carries (packed by explore.py, drawn by Vega).
//
// What is chosen is kept in the address, so a link shows the same. Names are vendors' text: they only ever become the text of an element,
// never HTML, and in a file a text that a spreadsheet would run as a formula has an apostrophe before it, as in csv_file.py.
"use strict";

const DAY = 86_400_000;
const OPTIONS_SHOWN = 200, ROWS_SHOWN = 500, BARS_SHOWN = 15, DAYS_DRAWN = 92, FEW = 30;
const FORMULA = /^ *[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
// What can be counted: one or two measures that can be added up, and what is shown of them: the first and its share; of a second, itself and
// how much of the first it is.
const COUNTS = {
  reviews: {
    measures: ["review_count", "review_score"],
    headings: ["Reviews", "Share", "Called positive", "Positive share"], kinds: ["count", "share", "count", "share"],
  },
  customers: { measures: ["customer_count"], headings: ["Customers", "Share"], kinds: ["count", "share"] },
};
const IN_TIME = ["log_date", "month"];
const LONGEST_NAME = 60, UNKNOWN = "Unknown";
const element = (id) => document.getElementById(id);
const lists = [...document.querySelectorAll("#explore details")];
const dimensions = lists.map((list) => list.dataset.name);
const written = {
  count: (value) => value.toLocaleString("en"),
  share: (value) => `${(100 * value).toFixed(1)} %`,
};

let cube, state, drawing = Promise.resolve();

start().catch((error) => { element("needs-script").textContent = `This page could not start: ${error.message}`; });

async function start() {
  const packed = Uint8Array.from(atob(element("cube").textContent.trim()), (letter) => letter.charCodeAt(0));
  cube = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  const days = cube.names.log_date.filter(Boolean);
  const months = cube.names.log_date.map((day) => day && day.slice(0, 7));
  cube.names.month = [...new Set(months)];
  cube.reviews.month = cube.reviews.log_date.map((day) => cube.names.month.indexOf(months[day]));
  for (const list of lists) fill(list);
  listen(days);
  readAddress();
  element("needs-script").hidden = true;
  element("explore").hidden = false;
  show();
}

// A checkbox for each name of a dimension; of very many, for the most frequent ones.
function fill(list) {
  const name = list.dataset.name, frequency = cube.names[name].map(() => 0);
  for (const [count, { measures }] of Object.entries(COUNTS)) {
    (cube[count][name] ?? []).forEach((place, row) => { frequency[place] += cube[count][measures[0]][row]; });
  }
  const places = [...frequency.keys()].sort((a, b) => frequency[b] - frequency[a]).slice(0, OPTIONS_SHOWN).sort((a, b) => a - b);
  const options = places.map((place) => {
    const option = element("option").content.firstElementChild.cloneNode(true), box = option.querySelector("input");
    option.dataset.place = place;
    option.querySelector(".name").textContent = option.title = cube.names[name][place];
    box.onchange = () => {
      state.chosen[name][box.checked ? "add" : "delete"](cube.names[name][place]);
      change({});
    };
    return option;
  });
  list.querySelector(".options").replaceChildren(...options);
  if (places.length < frequency.length) {
    list.querySelector(".cut").textContent = `The ${OPTIONS_SHOWN} most frequent of ${written.count(frequency.length)}; the table has all.`;
  }
}

function listen(days) {
  addEventListener("hashchange", () => { readAddress(); show(); });
  for (const input of document.querySelectorAll("[name=count]")) input.onchange = () => change({ count: input.value });
  for (const id of ["from", "to"]) {
    [element(id).min, element(id).max] = [days[0] ?? "", days.at(-1) ?? ""];
    element(id).onchange = () => change({ [id]: element(id).value });
  }
  for (const button of document.querySelectorAll("[data-days]")) {
    const first = days.length && isoDay(Date.parse(days.at(-1)) - (button.dataset.days - 1) * DAY);
    button.onclick = () => change(first ? { from: first, to: days.at(-1) } : {});
  }
  element("search").oninput = () => change({ search: element("search").value });
  element("rows").onchange = () => {
    const isInTime = IN_TIME.includes(element("rows").value);
    change({ rows: element("rows").value, sort: isInTime ? 0 : 1, up: isInTime });
  };
  document.querySelectorAll("#explore th button").forEach((button, place) => {
    button.onclick = () => change({ sort: place, up: state.sort === place ? !state.up : place === 0 });
  });
  element("clear").onclick = () => {
    history.replaceState(null, "", "#");
    readAddress();
    show();
  };
}

function readAddress() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const oneOf = (name, allowed) => allowed.find((value) => String(value) === kept.get(name)) ?? allowed[0];
  const day = (name) => /^\d{4}-\d\d-\d\d$/.test(kept.get(name)) ? kept.get(name) : "";
  state = {
    count: oneOf("count", Object.keys(COUNTS)), from: day("from"), to: day("to"), search: kept.get("search") ?? "",
    rows: oneOf("rows", [...dimensions, ...IN_TIME]), sort: oneOf("sort", [1, 0, 2, 3, 4]), up: kept.has("up"),
    chosen: Object.fromEntries(dimensions.map((name) => [name, new Set(kept.getAll(name))])),
  };
}

function change(parts) {
  Object.assign(state, parts);
  const kept = new URLSearchParams();
  for (const name of ["count", "from", "to", "rows", "search", "sort"]) if (state[name] !== "") kept.set(name, state[name]);
  if (state.up) kept.set("up", "");
  for (const name of dimensions) for (const value of state.chosen[name]) kept.append(name, value);
  history.replaceState(null, "", `#${kept}`);
  show();
}

function show() {
  // Customers have no day, nor all dimensions, nor all columns.
  if (!cube[state.count][state.rows]) state.rows = dimensions[0];
  if (state.sort > COUNTS[state.count].headings.length) Object.assign(state, { sort: 1, up: false });
  const { offered, found, total } = tally();
  const rows = rowsOf(found[state.rows], total);
  showFilters(offered);
  showAnswer(total, found);
  showTable(rows, total);
  drawing = drawing.then(() => draw(found, rows)).catch(console.error);
}

// The measures of each name, by dimension: `found` of what passes every filter, `offered` of what passes those of the other dimensions, so
// that a second name of a dimension can be added to the first.
function tally() {
  const table = cube[state.count], { measures } = COUNTS[state.count], counts = table[measures[0]];
  const columns = Object.keys(table).filter((name) => cube.names[name]);
  const tests = Object.entries({
    log_date: (state.from || state.to) && ((day) => day !== null && (!state.from || day >= state.from) && (!state.to || day <= state.to)),
    ...Object.fromEntries(dimensions.map((name) => [name, state.chosen[name].size && ((value) => state.chosen[name].has(value))])),
  }).filter(([name, test]) => test && table[name]).map(([name, test]) => [name, cube.names[name].map(test)]);
  const zero = () => measures.map(() => 0);
  const zeros = () => Object.fromEntries(columns.map((name) => [name, cube.names[name].map(zero)]));
  const offered = zeros(), found = zeros(), total = zero();
  const add = (sums, row) => measures.forEach((measure, place) => { sums[place] += table[measure][row]; });
  for (let row = 0; row < counts.length; row++) {
    const failed = [];
    for (const [name, passes] of tests) if (!passes[table[name][row]]) failed.push(name);
    if (failed.length === 1) add(offered[failed[0]][table[failed[0]][row]], row);
    if (failed.length) continue;
    add(total, row);
    for (const name of columns) {
      add(offered[name][table[name][row]], row);
      add(found[name][table[name][row]], row);
    }
  }
  return { offered, found, total };
}

// What a row shows of its measures.
const shownOf = ([first, second], total) => [first, first / total[0], second, second / first].slice(0, COUNTS[state.count].headings.length);

// Of each name that was found and searched for: itself and what is shown of it, in the order that is asked for.
function rowsOf(sums, total) {
  const rows = sums.map((measures, place) => [label(cube.names[state.rows][place]), ...shownOf(measures, total)])
    .filter(([name, count]) => count > 0 && isSearched(name));
  const way = state.up ? 1 : -1;
  // Names are in order already, and remain so where the rest is equal.
  return state.sort === 0 ? (state.up ? rows : rows.reverse()) : rows.sort((a, b) => way * (a[state.sort] - b[state.sort]));
}

const label = (name) => name ?? "Unknown day";
const isSearched = (name) => name.toLowerCase().includes(state.search.toLowerCase());

function showFilters(offered) {
  for (const input of document.querySelectorAll("[name=count]")) input.checked = input.value === state.count;
  for (const id of ["from", "to", "search"]) if (element(id).value !== state[id]) element(id).value = state[id];
  element("period").hidden = element("caveat").hidden = !offered.log_date;
  for (const list of lists) {
    const name = list.dataset.name, sums = offered[name];
    list.hidden = !sums;
    if (!sums) continue;
    list.querySelector(".chosen").textContent = state.chosen[name].size ? ` (${state.chosen[name].size})` : "";
    const largest = sums.reduce((most, [count]) => Math.max(most, count), 0);
    for (const option of list.querySelectorAll("label")) {
      const value = cube.names[name][option.dataset.place], [count] = sums[option.dataset.place];
      option.querySelector("input").checked = state.chosen[name].has(value);
      option.querySelector(".amount").textContent = written.count(count);
      option.querySelector(".bar").style.width = `${largest ? 100 * count / largest : 0}%`;
      option.hidden = !isSearched(value) || (!count && !state.chosen[name].has(value));
    }
  }
  for (const option of element("rows").options) option.hidden = option.disabled = !offered[option.value];
  element("rows").value = state.rows;
}

function showAnswer(total, found) {
  const { measures, headings } = COUNTS[state.count];
  const everything = cube[state.count][measures[0]].reduce((sum, count) => sum + count, 0);
  const short = (name) => name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
  const chosen = dimensions.filter((name) => cube[state.count][name] && state.chosen[name].size)
    .map((name) => [...state.chosen[name]].map(short).join(" or "));
  if (state.count === "reviews" && (state.from || state.to)) chosen.push(`${state.from || "the first day"} to ${state.to || "the last"}`);
  const ofAll = () => total[0] ? `, ${headings[3].toLowerCase()} ${written.share(total[1] / total[0]).replace(" %", "\u00a0%")}` : "";
  const second = measures.length > 1 ? ` ${headings[2]}: ${written.count(total[1])}${ofAll()}.` : "";
  // Whose place, say, nobody knows: what is said of the others is said of the rest.
  const [unknown] = found[state.rows][cube.names[state.rows].indexOf(UNKNOWN)] ?? [0];
  const without = unknown && unknown < total[0]
    ? ` ${element("rows").selectedOptions[0].text} unknown: ${written.count(unknown)} (${written.share(unknown / total[0]).replace(" %", "\u00a0%")}).` : "";
  element("answer").textContent = `${written.count(total[0])} of ${written.count(everything)} ${state.count}`
    + `${chosen.length ? `: ${chosen.join(", ")}` : ""}.${second}${without}`;
}

function showTable(rows, total) {
  const { kinds } = COUNTS[state.count], headings = [element("rows").selectedOptions[0].text, ...COUNTS[state.count].headings];
  document.querySelectorAll("#explore th").forEach((cell, place) => {
    cell.hidden = place >= headings.length;
    cell.firstElementChild.textContent = headings[place] ?? "";
    cell.ariaSort = place === state.sort ? (state.up ? "ascending" : "descending") : "none";
  });
  const line = ([name, ...values]) => {
    const row = document.createElement("tr"), isFew = state.count === "reviews" && values[0] < FEW;
    Object.assign(row.insertCell(), { textContent: name, className: "name" });
    values.forEach((value, place) => {
      Object.assign(row.insertCell(), { textContent: written[kinds[place]](value), className: place === 3 && isFew ? "number few" : "number" });
    });
    return row;
  };
  const all = total[0] ? [line(["All that is chosen", ...shownOf(total, total)])] : [];
  document.querySelector("#explore tbody").replaceChildren(...rows.slice(0, ROWS_SHOWN).map(line));
  document.querySelector("#explore tfoot").replaceChildren(...all);
  element("shown").textContent = rows.length > ROWS_SHOWN ? `The first ${ROWS_SHOWN} of ${written.count(rows.length)} rows; the file has all.` : "";
  element("save").href = `data:text/csv;charset=utf-8,${encodeURIComponent(csv([headings, ...rows]))}`;
  element("save").download = `explore-${state.count}-by-${state.rows}.csv`;
}

// Shares as parts of one.
function csv(rows) {
  const field = (value) => typeof value === "string" ? value.replace(FORMULA, "'$&").replaceAll('"', '""') : Number(value.toFixed(6));
  return `\ufeff${rows.map((row) => `${row.map((value) => `"${field(value)}"`).join(",")}\r\n`).join("")}`;
}

async function draw(found, rows) {
  const { unit, counts } = overTime(found.log_date ?? []);
  await chart("by-time", `Reviews by ${unit}`, counts.length, {
    height: 180, data: { values: counts }, mark: { type: "bar", color: "var(--blue)" },
    encoding: {
      x: { field: "time", type: "ordinal", axis: { title: null, labelAngle: 0, labelOverlap: true } },
      y: { field: "count", type: "quantitative", axis: { title: null, tickCount: 4, tickMinStep: 1, format: ",d" } },
    },
  });
  const bars = IN_TIME.includes(state.rows) ? [] : rows.slice(0, BARS_SHOWN).map(([name, count]) => ({ name, count, said: written.count(count) }));
  const title = `${COUNTS[state.count].headings[0]} by ${element("rows").selectedOptions[0].text.toLowerCase()}`;
  await chart("by-rows", rows.length > bars.length ? `${title}, ${bars.length} of ${written.count(rows.length)}` : title, bars.length, {
    height: 26 * bars.length, data: { values: bars },
    encoding: {
      y: { field: "name", type: "nominal", sort: null, axis: { title: null, labelLimit: 130 } },
      // Room for the number behind the longest.
      x: { field: "count", type: "quantitative", axis: null, scale: { domain: [0, 1.1 * Math.max(...bars.map(({ count }) => count))] } },
    },
    layer: [
      { mark: { type: "bar", color: "var(--blue)" } },
      { mark: { type: "text", align: "left", dx: 6, color: "var(--text)" }, encoding: { text: { field: "said" } } },
    ],
  });
}

// Of each day from the first found to the last, or of each month.
function overTime(sums) {
  const found = new Map(sums.map(([count], place) => [cube.names.log_date[place], count]).filter(([day, count]) => day && count));
  const days = [...found.keys()], first = Date.parse(days[0]), last = Date.parse(days.at(-1)), counts = new Map();
  const unit = last - first > DAYS_DRAWN * DAY ? "month" : "day";
  for (let time = first; time <= last; time += DAY) {
    const day = isoDay(time), key = unit === "month" ? day.slice(0, 7) : day;
    counts.set(key, (counts.get(key) ?? 0) + (found.get(day) ?? 0));
  }
  return { unit, counts: [...counts].map(([time, count]) => ({ time, count })) };
}

const isoDay = (time) => new Date(time).toISOString().slice(0, 10);

async function chart(id, title, size, spec) {
  const figure = element(id), image = figure.querySelector("[role=img]"), place = image.firstElementChild;
  figure.hidden = !size;
  if (!size) return;
  figure.querySelector("figcaption").textContent = title;
  image.ariaLabel = `${title}. The table has the numbers.`;
  const axis = { domain: false, ticks: false, labelPadding: 8, labelFontSize: 12, gridColor: "var(--line)", labelColor: "var(--quiet)" };
  const config = { aria: false, mark: { aria: false }, background: "transparent", font: "Arial, Helvetica, sans-serif", view: { stroke: null }, axis, text: { fontSize: 12 } };
  place.view?.finalize();
  // `ast`: expressions are interpreted, since the page's policy lets no text become code.
  place.view = await vegaEmbed(place, { width: "container", config, ...spec }, { ast: true, actions: false, defaultStyle: false, renderer: "svg" });
}
