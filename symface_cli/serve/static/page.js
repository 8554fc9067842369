// The page: photos in, their faces made symmetric as the panel says, results out.

import { takeFiles, takeFromCamera } from "./intake.js";
import { showMeasures } from "./measures.js";
import { Photo } from "./photo.js";
import { act, forget, keep, look, Problem } from "./server.js";
import { showHandles, showPhoto, watchWipe } from "./stage.js";
import { LANGUAGES, preferred, speak, text } from "./texts.js";
import { archive } from "./zip.js";

const VIEWS = ["result", "compare", "animation", "heatmap", "measures"];
const SCREEN = { least: 640, most: 1280 };  // pixels of the longer side of what is shown
const ANIMATION = 640;  // pixels of the longer side of an animation
const AT_ONCE = 2;  // photos that are sent

const $ = selector => document.querySelector(selector);
const panel = $("#panel");
const photos = [];
const state = { photo: null, view: "result", correcting: false, file: null };

// ---- what is shown

function screenSize() {
  const wanted = Math.max($("#shown").clientWidth, innerHeight * 0.68) * devicePixelRatio;
  return Math.round(Math.min(Math.max(wanted, SCREEN.least), SCREEN.most));
}

function settings() {
  return Object.fromEntries(["shape", "color", "side", "pose"].map(name => [name, panel.elements[name].value]));
}

// Ask for what the view needs, for the screen or in full; a face that is needed is the active one.
function ask(photo, view, screen) {
  const small = screen ? { screen } : {};
  const active = { marks: photo.marks(photo.active ? [photo.active] : []) };
  if (view === "compare") return act(photo, "symmetrize", { output: "compare", ...active, ...small });
  if (view === "heatmap") return act(photo, "measure", { output: "heatmap", ...active, ...small });
  if (view === "measures") return act(photo, "measure", { output: screen ? "overlay" : "json", ...active, ...small });
  if (view === "animation") {
    return act(photo, "symmetrize", { gif: true, screen: ANIMATION, ...settings(), marks: photo.marks() });
  }
  return act(photo, "symmetrize", { ...settings(), marks: photo.marks(), ...small });
}

let isRunning = false, isWanted = false;

// Show what is wanted now; what was wanted meanwhile is shown next, and nothing else in between.
async function refresh() {
  isWanted = true;
  if (isRunning) return;
  isRunning = true;
  while (isWanted) {
    isWanted = false;
    const later = setTimeout(() => $("#work").classList.add("waiting"), 250);
    try {
      await show(state.photo, state.view);
    } catch (problem) {
      complain(problem, state.photo, true);
    }
    clearTimeout(later);
  }
  $("#work").classList.remove("waiting");
  isRunning = false;
}

async function show(photo, view) {
  if (!photo?.info) return;
  if (isOfView) $("#problem").textContent = "";
  const isOfAll = view === "result" || view === "animation";
  if (!photo.faces.some(face => (isOfAll ? face.chosen : face === photo.active))) {
    setPicture(photo, "after", null);
    showPhoto(photo);
    return;
  }
  const { blob, notes } = await ask(photo, view, screenSize());
  if (photo !== state.photo || view !== state.view) return;
  $("#notes").textContent = notes.join("; ");
  if (view === "result") {
    setPicture(photo, "after", blob);
    showPhoto(photo);
  } else {
    setPicture(state, "file", blob);
    $("#picture img").src = state.file;
    $("#picture img").alt = text(`view_${view}`);
  }
  if (view === "measures") await showNumbers(photo);
  say(text("ready", { name: photo.name }));
}

async function showNumbers(photo) {
  const { blob } = await ask(photo, "measures");
  const { faces: [face] } = JSON.parse(await blob.text());
  showMeasures($("#measures"), face);
}

function setPicture(owner, name, blob) {
  if (owner[name]) URL.revokeObjectURL(owner[name]);
  owner[name] = blob && URL.createObjectURL(blob);
}

function say(message) {
  $("#status").textContent = message;
}

let isOfView = false;  // whether the problem that is told is one of the picture shown: the next picture ends it

function complain(problem, photo, ofView = false) {
  if (!(problem instanceof Problem)) throw problem;
  isOfView = ofView;
  const told = text(`problem_${problem.kind}`);
  const title = told.startsWith("problem_") ? text("problem_unknown") : told;
  const name = photo ? `${photo.name}: ` : "";
  $("#problem").textContent = name + title + (problem.message ? ` (${problem.message})` : "");
}

// ---- photos

const queue = [];
let sending = 0;

function add(files) {
  $("#problem").textContent = "";
  const added = files.map(file => new Photo(file));
  photos.push(...added);
  queue.push(...added);
  if (added.length) select(state.photo ?? added[0]);
  for (; sending < AT_ONCE && queue.length; sending++) sendNext();
}

async function sendNext() {
  while (queue.length) {
    const photo = queue.shift();
    say(text("sending", { name: photo.name }));
    try {
      await keep(photo);
      photo.reset();
      setPicture(photo, "before", await look(photo, screenSize()));
      if (!photos.includes(photo)) forget([photo]);  // removed meanwhile
      say(text(photo.faces.length ? "found" : "found_none", { count: photo.faces.length, name: photo.name }));
    } catch (problem) {
      complain(problem, photo);
      drop(photo);
    }
    drawStrip();
    if (photo === state.photo) select(photo);
  }
  sending--;
}

function select(photo) {
  state.photo = photo;
  $("#work").hidden = !photo?.before;
  document.documentElement.classList.toggle("empty", !photos.length);
  drawStrip();
  if (!photo?.before) return;
  if (!photo.faces.length) state.correcting = false;
  drawView();
  drawFaces();
  showPhoto(photo);
  refresh();
}

function drop(photo) {
  const at = photos.indexOf(photo);
  if (at < 0) return;
  photos.splice(at, 1);
  forget([photo]);
  photo.close();
  if (state.photo === photo) select(photos[Math.min(at, photos.length - 1)] ?? null);
}

function drawStrip() {
  $("#strip").hidden = photos.length < 1;
  $("#strip").setAttribute("aria-label", text("photos"));
  $("#strip ul").replaceChildren(...photos.map(photo => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", photo.name);
    button.setAttribute("aria-current", photo === state.photo);
    if (photo.before) button.append(Object.assign(document.createElement("img"), { src: photo.before, alt: "" }));
    else button.textContent = "…";
    button.addEventListener("click", () => select(photo));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  $("#save-all").hidden = photos.length < 2;
}

// ---- the view and the panel

function drawView() {
  $("#views").setAttribute("aria-label", text("views"));
  $("#views").replaceChildren(...VIEWS.map(view => pressed(text(`view_${view}`), view === state.view, () => {
    state.view = view;
    state.correcting = false;
    drawView();
    drawFaces();
    refresh();
  })));
  $("#stage").hidden = state.view !== "result";
  $("#picture").hidden = state.view === "result";
  $("#measures").hidden = state.view !== "measures";
  $("#picture img").removeAttribute("src");
  $("#measures").replaceChildren();
}

function drawFaces() {
  const { photo } = state;
  $("#faces ul").replaceChildren(...photo.faces.map(face => {
    const label = text("face", { number: face.label });
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: face.chosen });
    box.setAttribute("aria-label", text("face_changed", { number: face.label }));
    box.addEventListener("change", () => { face.chosen = box.checked; refresh(); });
    const item = document.createElement("li");
    item.append(box, pressed(label, face === photo.active, () => { photo.active = face; drawFaces(); refresh(); }));
    return item;
  }));
  const isCorrecting = state.correcting && state.view === "result";
  $("#correct").setAttribute("aria-pressed", isCorrecting);
  $("#correct").disabled = !photo.active;
  $("#correct-help").hidden = !isCorrecting;
  showHandles(photo, isCorrecting, refresh);
}

function pressed(label, isPressed, press) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.setAttribute("aria-pressed", isPressed);
  button.addEventListener("click", press);
  return button;
}

function drawAmounts() {
  for (const name of ["shape", "color"]) {
    const input = panel.elements[name];
    const share = `${Math.round(100 * input.value)} %`;
    input.nextElementSibling.textContent = share;
    input.setAttribute("aria-valuetext", share);
  }
}

function correct(isOn) {
  state.view = "result";
  state.correcting = isOn;
  drawView();
  drawFaces();
  refresh();
}

function watchPanel() {
  panel.addEventListener("submit", event => event.preventDefault());
  panel.addEventListener("input", event => {
    if (!event.target.name) return;
    drawAmounts();
    refresh();
  });
  panel.addEventListener("reset", () => setTimeout(() => { drawAmounts(); refresh(); }));
  $("#correct").addEventListener("click", () => correct(!state.correcting));
  $("#add-face").addEventListener("click", () => { state.photo.addFace(); correct(true); });
  $("#undo").addEventListener("click", () => { state.photo.reset(); drawFaces(); refresh(); });
  $("#save").addEventListener("click", () => save([state.photo]));
  $("#save-all").addEventListener("click", () => save(photos.filter(photo => photo.faces.length)));
  $("#remove").addEventListener("click", () => drop(state.photo));
}

// ---- results

// Make full results and save them; several as an archive.
async function save(chosen) {
  const files = [];
  $("#problem").textContent = "";
  for (const [count, photo] of chosen.entries()) {
    say(text("saving", { name: photo.name, count: count + 1, all: chosen.length }));
    try {
      files.push(await ask(photo, state.view));
    } catch (problem) {
      complain(problem, photo);
    }
  }
  if (!files.length) return;
  const file = chosen.length > 1 ? { name: "symface.zip", blob: await archive(files) } : files[0];
  const href = URL.createObjectURL(file.blob);
  const link = Object.assign(document.createElement("a"), { href, download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
  say(text("saved", { name: file.name }));
}

// ---- the beginning

async function chooseLanguage(language) {
  await speak(language);
  if (state.photo) select(state.photo);
}

async function begin() {
  const languages = $("#language");
  languages.append(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code)));
  languages.value = preferred();
  languages.addEventListener("change", () => {
    localStorage.setItem("language", languages.value);
    chooseLanguage(languages.value);
  });
  await chooseLanguage(languages.value);
  document.documentElement.classList.add("empty");
  drawAmounts();
  watchWipe();
  watchPanel();
  takeFiles(add);
  takeFromCamera(add, () => complain(new Problem({ type: "urn:symface:camera" })));
  addEventListener("pagehide", () => forget(photos));
}

begin();
