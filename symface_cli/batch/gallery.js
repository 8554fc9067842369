document.documentElement.classList.add("scripted");

document.addEventListener("input", ({ target }) => {
  if (!target.matches(".slider input")) return;
  target.parentElement.style.setProperty("--at", target.value);
  target.setAttribute("aria-valuetext", `${target.value} % photo`);
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("th button");
  if (!button) return;
  const heading = button.parentElement;
  const order = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const rows = sort(heading.closest("table").tBodies[0], heading.cellIndex, order === "ascending" ? 1 : -1);
  const photos = rows.map(row => document.querySelector(row.querySelector("a").hash));
  document.querySelector(".entries").append(...new Set(photos));
  document.querySelector("[role=status]").textContent = `sorted by ${button.textContent}, ${order}`;
});

// Numbers by size, names as people count ("photo 9" before "photo 10"), what has no value last.
function sort(body, column, direction) {
  const key = row => row.cells[column].dataset.key;
  const compare = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
  const rows = [...body.rows].sort((a, b) =>
    !key(a) || !key(b) ? !key(a) - !key(b) : direction * compare(key(a), key(b)));
  body.append(...rows);
  return rows;
}
