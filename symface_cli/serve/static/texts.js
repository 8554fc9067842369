// The page's texts, in one file for each language.

export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", zh: "中文" };
const ENGLISH = "en";

let texts = {};

// The language that was chosen, else the first of the browser's that there is.
export function preferred() {
  const wanted = [localStorage.getItem("language"), ...navigator.languages].filter(Boolean);
  return wanted.map(tag => tag.slice(0, 2).toLowerCase()).find(tag => tag in LANGUAGES) ?? ENGLISH;
}

export async function speak(language) {
  const [english, own] = await Promise.all([ENGLISH, language].map(load));
  texts = { ...english, ...own };
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
}

async function load(language) {
  return (await fetch(`/static/texts/${language}.json`)).json();
}

// The text of a name; {words} in it are replaced by values.
export function text(name, values = {}) {
  return (texts[name] ?? name).replace(/\{(\w+)\}/g, (_, word) => values[word] ?? "");
}

export function number(value, digits) {
  return new Intl.NumberFormat(document.documentElement.lang, {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(value);
}
