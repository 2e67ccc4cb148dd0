// The page of the explorer: controls on the left, pictures and numbers on the right. It sends the texts of the controls
// and shows what comes back; it computes nothing. What moves while a question is on its way is asked with the answer, or
// after PATIENCE without one: the new question then takes the place of the old one, unless that is being drawn already.

const TYPING = 350; // milliseconds without a key until text is taken as given
const NARROW = 640; // pixels of the page below which it is a phone's
const PATIENCE = 250; // milliseconds without an answer until a control that moved meanwhile is asked for
const LOST = 120000; // milliseconds without an answer until a question is asked again
const FRAME = 120; // milliseconds that a picture stands at least while it plays

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function amount(text) {
  const plain = text.trim().toLowerCase();
  return plain === "inf" ? Infinity : plain === "" ? NaN : Number(plain);
}

// the slider's position nearest to a text that need not be one of its steps
function nearest(steps, text) {
  const exact = steps.indexOf(text.trim());
  if (exact >= 0) return exact;
  const value = amount(text);
  if (Number.isNaN(value)) return null;
  let best = 0;
  steps.forEach((step, k) => {
    if (amount(step) <= value) best = k;
  });
  return best;
}

class Field {
  // One control with its message. `changed` is called whenever its text is another.
  constructor(control, prefix, changed) {
    Object.assign(this, { control, changed, text: control.start, timer: null });
    const id = `${prefix}-${control.name}`;
    this.message = make("p", { class: "message", id: `${id}-message`, role: "status", "data-message": control.name });
    const about = { "aria-describedby": `${id}-message`, title: control.about || undefined };
    const label = make("label", { for: id }, control.label);
    const parts = [label];
    if (control.options.length) {
      const options = control.options.map((text) => make("option", { value: text }, text));
      this.box = make("select", { id, ...about, "data-control": control.name }, ...options);
      this.box.addEventListener("change", () => this.take(this.box.value));
      parts.push(this.box);
    } else {
      this.box = make("input", {
        id, ...about, type: "text", autocomplete: "off", spellcheck: "false",
        inputmode: control.steps.length ? "decimal" : "text",
        list: control.suggestions.length ? `${id}-list` : undefined,
        "data-control": control.name,
      });
      this.box.addEventListener("input", () => this.soon());
      this.box.addEventListener("change", () => this.take(this.box.value));
      if (control.steps.length) {
        this.slider = make("input", {
          type: "range", min: 0, max: control.steps.length - 1, step: 1, ...about,
          "aria-label": `${control.label}, slider`, "data-slider": control.name,
        });
        this.slider.addEventListener("input", () => this.take(control.steps[this.slider.valueAsNumber]));
        parts.push(this.slider);
      }
      parts.push(this.box);
      if (control.suggestions.length) {
        const options = control.suggestions.map((text) => make("option", { value: text }));
        parts.push(make("datalist", { id: `${id}-list` }, ...options));
      }
    }
    const kind = this.slider ? "number" : control.options.length ? "list" : "free";
    this.element = make("div", { class: `control ${kind}` }, ...parts, this.message);
    this.put(control.start);
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.take(this.box.value), TYPING);
  }

  take(text) {
    clearTimeout(this.timer);
    if (text === this.text) return;
    this.put(text);
    this.changed(this);
  }

  put(text) {
    this.text = text;
    if (this.box.value !== text) this.box.value = text;
    if (this.slider) {
      const position = nearest(this.control.steps, text);
      if (position !== null) this.slider.value = position;
      this.slider.setAttribute("aria-valuetext", text);
    }
  }

  say(message) {
    this.message.textContent = message;
    this.box.setAttribute("aria-invalid", message ? "true" : "false");
    this.element.classList.toggle("refused", Boolean(message));
  }
}

class Page {
  constructor(description, ask) {
    Object.assign(this, { description, ask, playing: null, drawn: false });
    const { name, title, controls, moving } = description;
    this.fields = controls.map((control) => new Field(control, name, (field) => this.moved(field)));
    this.moving = this.fields.find((field) => field.control.name === moving);
    this.general = make("p", { class: "message", role: "status", "data-message": "" });
    this.play = make("button", { type: "button", "data-action": "play", onclick: () => this.toggle() }, "Play");
    const exports = ["gif", "mp4"].map((kind) =>
      make("button", { type: "button", "data-action": kind, onclick: () => this.export(kind) }, `Save as ${kind.toUpperCase()}`)
    );
    this.progress = make("p", { class: "message note", role: "status", "data-progress": "" });
    this.command = make("code", { "data-command": "" });
    this.copied = make("span", { role: "status", class: "note" });
    const copy = make("button", { type: "button", "data-action": "copy", onclick: () => this.copy() }, "Copy as command");
    this.pictures = make("div", { class: "pictures", tabindex: 0, role: "group", "aria-label": "Pictures" });
    this.tables = make("div", { class: "tables" });
    this.words = make("dl", { class: "words", "aria-label": "Words" });
    const form = make("form", { class: "controls", "aria-label": "Controls", onsubmit: (event) => event.preventDefault() },
      make("div", { class: "moving" }, this.moving.element, make("div", { class: "buttons" }, this.play, ...exports), this.progress),
      ...this.fields.filter((field) => field !== this.moving).map((field) => field.element), this.general);
    const results = make("section", { class: "results", "aria-label": "What is shown" }, this.pictures, this.tables, this.words,
      make("div", { class: "command" }, make("pre", {}, this.command), copy, this.copied));
    this.element = make("div", { class: "page", role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}` },
      make("h2", {}, title.split(":")[1] ?? ""), form, results);
  }

  texts() {
    return Object.fromEntries(this.fields.map((field) => [field.control.name, field.text]));
  }

  moved(field) {
    if (this.playing && (field !== this.moving || !this.advancing)) this.stop();
    this.ask();
  }

  toggle() {
    if (this.playing) return this.stop();
    const { steps } = this.moving.control;
    const position = nearest(steps, this.moving.text) ?? 0;
    this.playing = { position: position >= steps.length - 1 ? -1 : position, since: 0 };
    this.play.textContent = "Stop";
    this.advance();
  }

  stop() {
    clearTimeout(this.playing?.timer);
    this.playing = null;
    this.play.textContent = "Play";
  }

  advance() {
    const { steps } = this.moving.control;
    if (!this.playing) return;
    if (this.playing.position >= steps.length - 1) return this.stop();
    this.playing.position += 1;
    this.playing.since = performance.now();
    const before = this.moving.text;
    this.advancing = true;
    this.moving.take(steps[this.playing.position]);
    this.advancing = false;
    if (before === this.moving.text) this.advance();
  }

  show(shown) {
    for (const field of this.fields) field.say(shown.messages[field.control.name] ?? "");
    this.general.textContent = shown.messages[""] ?? "";
    const refused = Object.keys(shown.messages).length > 0;
    clearTimeout(this.again);
    if (shown.again) this.again = setTimeout(() => !this.element.hidden && this.ask(), 1000 * shown.again);
    this.element.classList.toggle("stale", refused);
    if (refused) this.stop();
    else {
      this.pictures.replaceChildren(...shown.pictures.map((picture) => this.picture(picture)));
      this.tables.replaceChildren(...shown.tables.map(table));
      this.words.replaceChildren(...shown.words.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]));
      this.command.textContent = shown.command;
      this.copied.textContent = "";
      this.drawn = true;
    }
    if (this.playing) {
      clearTimeout(this.playing.timer);
      const wait = Math.max(0, FRAME - (performance.now() - this.playing.since));
      this.playing.timer = setTimeout(() => this.advance(), wait);
    }
  }

  picture({ name, source, alt }) {
    const known = [...this.pictures.children].find((figure) => figure.dataset.picture === name);
    const figure = known ?? make("figure", { "data-picture": name }, make("img", {}));
    const image = figure.firstChild;
    if (image.src !== source) image.src = source;
    image.alt = alt;
    return figure;
  }

  export(kind) {
    this.progress.textContent = "…";
    this.send({ export: kind, tab: this.description.name, texts: this.texts() });
  }

  exported(content, buffers) {
    if (content.message) this.progress.textContent = content.message;
    else if (content.total) this.progress.textContent = `frame ${content.done} of ${content.total}`;
    else {
      const address = URL.createObjectURL(new Blob([buffers[0]], { type: content.type }));
      make("a", { href: address, download: content.name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
      this.progress.textContent = `saved as ${content.name}`;
    }
  }

  async copy() {
    const text = this.command.textContent;
    try {
      await navigator.clipboard.writeText(text);
      this.copied.textContent = "copied";
    } catch {
      // outside of a secure context there is no clipboard: the line is marked for the reader to copy
      getSelection().selectAllChildren(this.command);
      this.copied.textContent = "marked; copy it by the keyboard";
    }
  }
}

function table({ name, caption, columns, keys, rows }) {
  const head = make("tr", {}, ...columns.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map((row) =>
    make("tr", { "data-row": row.name }, make("th", { scope: "row" }, row.name),
      ...row.cells.map(([text, number], k) => make("td", { "data-key": keys[k], "data-value": number }, text)))
  );
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    make("table", { "data-table": name }, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body)));
}

export default {
  render({ model, el }) {
    const descriptions = model.get("pages");
    let number = model.get("asked")?.number ?? 0, again = false, layout = null, current = null, since = 0, later, lost;
    const open = new Map(); // numbers of the questions without an answer, and when they were asked

    const root = make("div", { class: "rfsim" });
    const ask = () => {
      if (!layout) return; // its first measure asks
      const wait = open.size ? PATIENCE - (performance.now() - since) : 0;
      clearTimeout(later);
      again = wait > 0;
      if (again) {
        later = setTimeout(ask, wait);
        return;
      }
      number += 1;
      since = performance.now();
      open.set(number, since);
      clearTimeout(lost);
      lost = setTimeout(() => {
        open.clear();
        ask();
      }, LOST);
      root.setAttribute("aria-busy", "true");
      model.set("asked", { number, tab: current.description.name, layout, texts: current.texts() });
      model.save_changes();
    };
    const pages = descriptions.map((description) => new Page(description, ask));
    for (const page of pages) page.send = (content) => model.send({ ...content, layout });

    const tabs = descriptions.map((description, k) =>
      make("button", {
        type: "button", role: "tab", id: `tab-${description.name}`, "aria-controls": `panel-${description.name}`,
        "data-tab": description.name, onclick: () => choose(k), title: description.title,
      }, description.title.split(":")[0])
    );
    const list = make("div", { role: "tablist", class: "tabs", "aria-label": "What to explore" }, ...tabs);
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (pages.indexOf(current) + step + pages.length) % pages.length;
      choose(next);
      tabs[next].focus();
    });

    function choose(k) {
      if (current && current !== pages[k]) current.stop();
      current = pages[k];
      tabs.forEach((tab, j) => {
        tab.setAttribute("aria-selected", j === k ? "true" : "false");
        tab.tabIndex = j === k ? 0 : -1;
        pages[j].element.hidden = j !== k;
      });
      ask();
    }

    const answered = () => {
      const shown = model.get("shown");
      if (!open.has(shown.number)) return;
      const elapsed = performance.now() - open.get(shown.number);
      for (const one of [...open.keys()]) if (one <= shown.number) open.delete(one); // older ones were dropped
      const page = pages.find((one) => one.description.name === shown.tab);
      if (page) page.show(shown);
      root.dataset.number = shown.number;
      root.dataset.milliseconds = elapsed.toFixed(1);
      root.dataset.seconds = shown.seconds;
      if (open.size) return;
      clearTimeout(lost);
      if (again) ask();
      else root.setAttribute("aria-busy", "false");
    };
    const told = (content, buffers) => {
      if (content?.export) pages.find((one) => one.description.name === content.tab)?.exported(content, buffers);
    };
    model.on("change:shown", answered);
    model.on("msg:custom", told);

    const watch = new ResizeObserver(() => {
      const now = root.clientWidth < NARROW ? "narrow" : "wide";
      if (now === layout) return;
      layout = now;
      root.dataset.layout = layout;
      ask();
    });
    root.append(make("header", {}, make("h1", {}, "rfsim"), list), ...pages.map((page) => page.element));
    el.append(root);
    choose(0);
    watch.observe(root);
    return () => {
      watch.disconnect();
      clearTimeout(lost);
      clearTimeout(later);
      for (const page of pages) page.stop();
      model.off("change:shown", answered);
      model.off("msg:custom", told);
    };
  },
};
