// The search of the front page, over the index that the page carries (search.py). Names and descriptions only ever become the text of an
// element, never HTML.
"use strict";

const SHOWN = 40;
const KINDS = ["column", "table", "metric", "word", "page", "test"];
const element = (id) => document.getElementById(id);
const index = JSON.parse(element("search-index").textContent);
const entries = index.entries.map(([kind, name, table, description, address]) => ({ kind, name, table, description, address }));
const otherWords = new Map(index.otherWords);

element("find").hidden = false;
element("search").addEventListener("input", show);
addEventListener("hashchange", openTarget);
openTarget();
show();

// Not every browser opens the part of the page that a link leads into.
function openTarget() {
  element(location.hash.slice(1))?.closest("details")?.setAttribute("open", "");
}

// Every word has to be found, itself or what it is called here. In the order of the index, first what is called so, then what begins so, what has it
// in its name, in its table's, in its description.
function rank(entry, words) {
  const name = entry.name.toLowerCase(), ways = words.map((word) => [word, ...(otherWords.get(word) ?? [])]);
  const asked = [words.join("_"), words.join(" "), ...(words.length === 1 ? ways[0] : [])];
  const has = (text) => ways.every((each) => each.some((way) => text.includes(way)));
  if (asked.includes(name)) return 0;
  if (asked.some((way) => name.startsWith(way))) return 1;
  if (has(name)) return 2;
  if (has(`${entry.table}.${name}`)) return 3;
  return has(`${entry.table}.${name} ${entry.description}`.toLowerCase()) ? 4 : null;
}

function show() {
  const words = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? [] : entries
    .map((entry) => ({ entry, place: rank(entry, words) }))
    .filter(({ place }) => place !== null)
    .sort((one, other) => one.place - other.place || KINDS.indexOf(one.entry.kind) - KINDS.indexOf(other.entry.kind));
  element("found").replaceChildren(...found.slice(0, SHOWN).map(({ entry }) => line(entry)));
  const more = found.length > SHOWN ? `, the first ${SHOWN} are here` : "";
  element("found-count").textContent = words.length === 0 ? "" : `${found.length || "Nothing"} found${more}`;
}

function line({ kind, name, table, description, address }) {
  const item = document.createElement("li"), link = document.createElement("a"), about = document.createElement("span");
  link.href = address;
  link.textContent = table ? `${table}.${name}` : name;
  about.textContent = `${kind} · ${description}`;
  item.append(link, about);
  return item;
}
