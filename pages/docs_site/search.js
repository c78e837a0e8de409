// The search of the front page, over the index that the page carries (search.py). Names and descriptions only ever become the text of an
// element, never HTML.
"use strict";

const SHOWN = 40;
const KINDS = ["column", "table", "metric", "word"];
const element = (id) => document.getElementById(id);
const entries = JSON.parse(element("search-index").textContent)
  .map(([kind, name, table, description, address]) => ({ kind, name, table, description, address }));

element("find").hidden = false;
element("search").addEventListener("input", show);
show();

// Every word has to be found. In the order of the index, first what is called so, then what begins so, what has it in its name, in its table's, in its description.
function rank(entry, words) {
  const name = entry.name.toLowerCase(), asked = words.join("_");
  if (name === asked || name === words.join(" ")) return 0;
  if (name.startsWith(asked)) return 1;
  if (words.every((word) => name.includes(word))) return 2;
  if (words.every((word) => `${entry.table}.${name}`.includes(word))) return 3;
  return words.every((word) => `${entry.table}.${name} ${entry.description}`.toLowerCase().includes(word)) ? 4 : null;
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
