(() => {
  // Plays the part of Jupyter's widget manager for the anywidgets of this page: state, events, one module a source.
  const { models, assets } = JSON.parse(document.getElementById("nbi-data").textContent);
  const live = {}, modules = {}, styles = new Set();
  const bytes = (b64) => {
    const text = atob(b64), out = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
    return new DataView(out.buffer);
  };
  const load = (key) => (modules[key] ??= import(URL.createObjectURL(new Blob([assets[key]], { type: "text/javascript" }))));
  function model(id) {
    if (live[id]) return live[id];
    const { state, buffers } = models[id], subs = new Map();
    let dirty = false;
    for (const [path, data] of buffers) {
      let at = state;
      for (const step of path.slice(0, -1)) at = at[step];
      at[path[path.length - 1]] = bytes(data);
    }
    const fire = (name, ...args) => { for (const fn of [...(subs.get(name) ?? [])]) fn(...args); };
    return (live[id] = {
      get: (name) => state[name],
      set(name, value) {
        if (state[name] === value) return;
        state[name] = value;
        dirty = true;
        fire(`change:${name}`, this, value);
      },
      save_changes() { if (dirty) { dirty = false; fire("change", this); } },
      on(names, fn) { for (const n of names.split(" ")) (subs.get(n) ?? subs.set(n, new Set()).get(n)).add(fn); },
      off(names, fn) { for (const n of (names ?? "").split(" ")) fn ? subs.get(n)?.delete(fn) : subs.delete(n); },
      offline: true, // there is no kernel, and no need to wait for one
      send() {},
      widget_manager: { get_model: async (ref) => model(String(ref).replace(/^(IPY_MODEL_|anywidget:)/, "")) },
    });
  }
  async function mount(el) {
    const { esm, css } = models[el.dataset.model], one = model(el.dataset.model);
    if (assets[css] && !styles.has(css)) {
      styles.add(css);
      document.head.append(Object.assign(document.createElement("style"), { textContent: assets[css] }));
    }
    try {
      let widget = (await load(esm)).default;
      if (typeof widget === "function") widget = await widget();
      const signal = new AbortController().signal;
      const props = { model: one, signal, experimental: { invoke: () => Promise.reject(new Error("there is no kernel")) } };
      one.ready ??= Promise.resolve(widget.initialize?.(props));
      await one.ready;
      el.replaceChildren();
      await widget.render({ ...props, el });
      el.dataset.mounted = "1";
    } catch (error) {
      console.error(error);
      el.textContent = `This view could not start: ${error}`;
    }
  }
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); mount(entry.target); }
  }, { rootMargin: "600px" });
  for (const el of document.querySelectorAll(".nbi-mount")) near.observe(el);
  addEventListener("beforeprint", () => { for (const el of document.querySelectorAll(".nbi-mount:not([data-mounted])")) mount(el); });
})();
