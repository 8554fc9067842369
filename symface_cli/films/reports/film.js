document.documentElement.classList.add("scripted");

const seconds = time => {
  const minutes = Math.floor(time / 60), rest = (time - 60 * minutes).toFixed(2);
  return minutes ? `${minutes}:${rest.padStart(5, "0")}` : `${rest} s`;
};

class Viewer {
  constructor(section) {
    this.section = section;
    this.data = JSON.parse(section.querySelector("script").textContent);
    this.slider = section.querySelector("input[type=range]");
    this.slider.max = this.data.frames.length - 1;
    this.charts = [...section.querySelectorAll(".chart")];
    this.slider.addEventListener("input", () => { this.stop(); this.show(+this.slider.value); });
    section.addEventListener("click", event => this.click(event));
    const still = section.querySelector("[data-first]");
    this.jump(still ? +still.dataset.time : this.data.start);
  }

  click({ target, clientX }) {
    const button = target.closest("button[data-time]"), svg = target.closest(".chart svg");
    if (target.closest(".play")) return this.timer ? this.stop() : this.play();
    if (button) this.jump(+button.dataset.time);
    else if (svg) {
      const { left, width } = svg.getBoundingClientRect(), frame = svg.dataset;
      const part = ((clientX - left) / width * frame.width - frame.left) / (frame.right - frame.left);
      this.jump(this.data.start + part * (this.data.end - this.data.start));
    }
  }

  jump(time) {
    this.stop();
    const apart = this.data.frames.map(frame => Math.abs(frame.t - time));
    this.show(apart.indexOf(Math.min(...apart)));
  }

  show(index) {
    const frame = this.data.frames[index], time = seconds(frame.t);
    const state = !frame.v ? ", no face found" : frame.turned ? ", turned too far" : "";
    this.index = index;
    this.slider.value = index;
    this.slider.setAttribute("aria-valuetext", `${time}, frame ${frame.n}${state}`);
    this.section.querySelector(".time").textContent = `${time}, frame ${frame.n}${state}`;
    const image = this.section.querySelector(".face img");
    image.hidden = !frame.src;
    if (frame.src) {
      image.src = frame.src;
      image.alt = `the face at ${time}`;
    }
    this.draw(frame);
    this.charts.forEach((chart, number) => this.mark(chart, frame, frame.v?.[number]));
  }

  draw({ p: points }) {
    const at = index => `${points[2 * index]} ${points[2 * index + 1]}`;
    const lines = points ? this.data.outlines.map(line => "M" + line.map(at).join("L")).join("") : "";
    const dots = points ? Array.from({ length: points.length / 2 }, (_, index) => `M${at(index)}h0`).join("") : "";
    for (const path of this.section.querySelectorAll(".face path")) {
      path.setAttribute("d", path.matches(".points") ? dots : lines);
    }
  }

  mark(chart, { t }, values) {
    const { left, right } = chart.querySelector("svg").dataset;
    const x = +left + (t - this.data.start) / Math.max(this.data.end - this.data.start, 1e-9) * (right - left);
    chart.querySelector(".cursor").setAttribute("d", `M${x.toFixed(1)} 0V999`);
    const texts = (values ?? []).map(value => value.toFixed(2));
    chart.querySelector(".now").textContent =
      texts.length > 1 ? `left ${texts[0]}, right ${texts[1]}, difference ${texts[2]}` : texts[0] ?? "";
  }

  play() {
    const { frames } = this.data;
    if (this.index === frames.length - 1) this.show(0);
    const began = performance.now(), from = frames[this.index].t;
    this.timer = setInterval(() => {
      const time = from + (performance.now() - began) / 1000;
      let next = this.index;
      while (next < frames.length - 1 && frames[next + 1].t <= time) next += 1;
      if (next !== this.index) this.show(next);
      if (next === frames.length - 1) this.stop();
    }, 15);
    this.section.querySelector(".play").textContent = "Pause";
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.section.querySelector(".play").textContent = "Play";
  }
}

let viewers = [];
document.addEventListener("DOMContentLoaded", () => {
  viewers = [...document.querySelectorAll(".person")].map(section => new Viewer(section));
});
