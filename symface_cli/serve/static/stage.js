// The photo before and after, one wiped over the other, and the points of its faces, which can be moved.

import { text } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = { least: 5, most: 11 };  // of a point, in pixels of the screen
const SHARE = 0.25;  // of the distance between the eyes, that a point's radius is at most
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAR = 10;  // steps with the shift key

const stage = document.querySelector("#stage");
const pictures = stage.querySelector(".pictures");
const [before, after] = pictures.querySelectorAll("img");
const handles = stage.querySelector(".handles");
const wipe = stage.querySelector(".wipe input");

let redraw = [];  // what draws each line and point where it is now
new ResizeObserver(() => draw()).observe(pictures);

function draw() {
  if (pictures.clientWidth) for (const part of redraw) part();
}

export function watchWipe() {
  const move = () => {
    pictures.style.setProperty("--at", `${wipe.value}%`);
    wipe.setAttribute("aria-valuetext", text("wiped", { share: wipe.value }));
  };
  wipe.addEventListener("input", move);
  const follow = event => {
    const { left, width } = pictures.getBoundingClientRect();
    wipe.value = (100 * (event.clientX - left)) / width;
    move();
  };
  pictures.addEventListener("pointerdown", event => {
    if (event.target.tagName === "circle" || stage.classList.contains("correcting")) return;
    follow(event);
    pictures.setPointerCapture(event.pointerId);
    pictures.addEventListener("pointermove", follow);
    const end = () => pictures.removeEventListener("pointermove", follow);
    pictures.addEventListener("lostpointercapture", end, { once: true });
  });
  move();
}

export function showPhoto(photo) {
  before.src = photo.before;
  before.alt = text("alt_before", { name: photo.name });
  after.alt = text("alt_after", { name: photo.name });
  if (photo.after) after.src = photo.after;
  stage.classList.toggle("without", !photo.after);
}

// Draw the points of a photo's active face; `moved` is called when one has been moved.
export function showHandles(photo, isCorrecting, moved) {
  stage.classList.toggle("correcting", isCorrecting);
  handles.replaceChildren();
  redraw = [];
  if (!isCorrecting) return;
  const { width, height } = photo.info;
  handles.setAttribute("viewBox", `-0.5 -0.5 ${width} ${height}`);
  handles.setAttribute("aria-label", text("correct"));
  for (const face of photo.faces) {
    if (face.box && face !== photo.active) handles.append(make("polygon", { points: face.box.join(" ") }));
  }
  const face = photo.active;
  if (!face) return;
  if (face.midline) redraw.push(drawLine(face.midline, "edge"), drawLine(face.midline, ""));
  const named = [
    ...(face.midline ?? []).map((point, end) => [point, "midline", `handle_midline_${end}`]),
    ...face.eyes.map((point, side) => [point, "eye", `handle_eye_${side}`]),
  ];
  for (const [point, kind, name] of named) {
    redraw.push(drawPoint(point, kind, text(name, { number: face.label }), photo, {
      apart: Math.hypot(face.eyes[1][0] - face.eyes[0][0], face.eyes[1][1] - face.eyes[0][1]),
      move: () => {
        face[kind === "eye" ? "eyesMoved" : "midlineMoved"] = true;
        draw();
      },
      end: moved,
    }));
  }
  draw();
}

function drawLine(points, kind) {
  const line = handles.appendChild(make("line", { class: kind }));
  return () => {
    const [[x1, y1], [x2, y2]] = points;
    set(line, { x1, y1, x2, y2 });
  };
}

function drawPoint(point, kind, label, { info }, { apart, move, end }) {
  const circle = handles.appendChild(make("circle", { class: kind, tabindex: 0, role: "button", "aria-label": label }));
  const scale = () => info.width / pictures.clientWidth;
  const go = (x, y) => {
    point[0] = Math.min(Math.max(x, 0), info.width - 1);
    point[1] = Math.min(Math.max(y, 0), info.height - 1);
    move();
  };
  circle.addEventListener("pointerdown", event => {
    event.stopPropagation();
    circle.setPointerCapture(event.pointerId);
    const follow = ({ clientX, clientY }) => {
      const { left, top } = pictures.getBoundingClientRect();
      go((clientX - left) * scale() - 0.5, (clientY - top) * scale() - 0.5);
    };
    circle.addEventListener("pointermove", follow);
    circle.addEventListener("lostpointercapture", () => {
      circle.removeEventListener("pointermove", follow);
      end();
    }, { once: true });
  });
  circle.addEventListener("keydown", event => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const far = scale() * (event.shiftKey ? FAR : 1);
    go(point[0] + far * step[0], point[1] + far * step[1]);
    end();
  });
  return () => {
    const radius = Math.min(Math.max((SHARE * apart) / scale(), RADIUS.least), RADIUS.most);
    set(circle, { cx: point[0], cy: point[1], r: radius * scale() });
  };
}

function make(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  set(made, attributes);
  return made;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}
