// Measures as tables.

import { number, text } from "./texts.js";

const AREAS = ["whole", "brows", "eyes", "nose", "mouth", "jaw"];
const COLUMNS = ["shape_pct", "color_de", "lightness"];

export function showMeasures(element, face) {
  const said = document.createElement("p");
  said.textContent = text("research");
  element.replaceChildren(byName(face), byArea(face), said);
}

function byName({ measures }) {
  const heads = ["", "unit", "left", "right", "difference"].map(head => head && text(`measure_${head}`));
  const rows = Object.entries(measures).map(([name, measured]) => [
    text(`measure_${name}`),
    measured.unit === "deg" ? "°" : measured.unit,
    ...[measured.left, measured.right].map(value => value === null ? "" : number(value, 1)),
    `${number(measured.diff, 1)} ± ${number(measured.error, 1)}`,
  ]);
  return table(text("measures_named"), heads, rows);
}

function byArea({ values }) {
  const heads = ["", ...COLUMNS.map(column => text(`value_${column}`))];
  const rows = AREAS.map(area => [
    text(`area_${area}`),
    ...COLUMNS.map(column => values[`${area}_${column}`]).map(estimate =>
      estimate ? `${number(estimate.value, 1)} ± ${number(estimate.error, 1)}` : ""),
  ]);
  return table(text("measures_areas"), heads, rows);
}

function table(caption, heads, rows) {
  const made = document.createElement("table");
  made.createCaption().textContent = caption;
  const head = made.createTHead().insertRow();
  for (const label of heads) head.append(cell("th", label, "col"));
  const body = made.createTBody();
  for (const [label, ...values] of rows) {
    body.insertRow().append(cell("th", label, "row"), ...values.map(value => cell("td", value)));
  }
  return made;
}

function cell(kind, content, scope) {
  const made = document.createElement(kind);
  made.textContent = content;
  if (scope) made.scope = scope;
  return made;
}
