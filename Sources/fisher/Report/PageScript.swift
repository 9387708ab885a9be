/// Zoom and pan of the panels. The page is whole without it: the script adds its own buttons.
enum PageScript {
  static var javaScript: String {
    """
    "use strict";
    const W = \(PanelSVG.plotWidth), H = \(PanelSVG.plotHeight), L = \(PanelSVG.left), T = \(PanelSVG.top);
    \(code)
    """
  }

  private static let code = #"""
    const round = v => String(Number((Math.abs(v) < 1e-12 ? 0 : v).toPrecision(6)));

    function linearTicks(low, high) {
      const rough = (high - low) / 6, power = Math.pow(10, Math.floor(Math.log10(rough))), r = rough / power;
      const step = power * (r > 5 ? 10 : r > 2 ? 5 : r > 1 ? 2 : 1), ticks = [];
      // (where numbers lie further apart than steps, i may stay what it is)
      for (let i = Math.ceil(low / step); i <= Math.floor(high / step) && ticks.length < 20; i++) ticks.push(i * step);
      return ticks;
    }

    function ticks(low, high, scale) {
      if (scale !== "log" || high / low < 10) return linearTicks(low, high);
      const parts = high / low > 1000 ? [1] : [1, 2, 5], all = [];
      for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
        for (const part of parts) all.push(part * Math.pow(10, p));
      return all.filter(v => v >= low && v <= high);
    }

    function axis(text) {
      const [low, high, scale] = text.split(" "), a = Number(low), b = Number(high), log = scale === "log";
      const value = u => log ? a * Math.pow(b / a, u) : a + u * (b - a);
      const place = v => log ? Math.log(v / a) / Math.log(b / a) : (v - a) / (b - a);
      return { ticks: (u0, u1) => ticks(value(u0), value(u1), scale).map(v => [(place(v) - u0) / (u1 - u0), v]) };
    }

    function element(name, attributes, text) {
      const e = document.createElementNS(document.documentElement.querySelector("svg").namespaceURI, name);
      for (const key in attributes) e.setAttribute(key, attributes[key]);
      if (text !== undefined) e.textContent = text;
      return e;
    }

    function panel(box) {
      const svg = box.querySelector("svg.whole"), plot = svg.querySelector("svg.plot");
      const marks = svg.querySelector(".ticks");
      const x = axis(svg.dataset.x), y = axis(svg.dataset.y);
      let view = { x: 0, y: 0, size: 1 };
      const hold = v => Math.min(Math.max(v, 0), 1 - view.size);
      function draw() {
        view.x = hold(view.x); view.y = hold(view.y);
        const corner = [view.x * W, (1 - view.y - view.size) * H];
        svg.classList.toggle("zoomed", view.size < 1);
        plot.setAttribute("viewBox", [...corner, view.size * W, view.size * H].join(" "));
        marks.replaceChildren();
        for (const [u, v] of x.ticks(view.x, view.x + view.size)) marks.append(
          element("line", { class: "tick", x1: L + u * W, x2: L + u * W, y1: T, y2: T + H }),
          element("text", { x: L + u * W, y: T + H + 17, "text-anchor": "middle" }, round(v)));
        for (const [u, v] of y.ticks(view.y, view.y + view.size)) marks.append(
          element("line", { class: "tick", x1: L, x2: L + W, y1: T + (1 - u) * H, y2: T + (1 - u) * H }),
          element("text", { x: L - 6, y: T + (1 - u) * H + 4, "text-anchor": "end" }, round(v)));
      }
      function zoom(factor) {
        const size = Math.min(Math.max(view.size * factor, 1 / 64), 1), change = (view.size - size) / 2;
        view = { x: view.x + change, y: view.y + change, size: size };
        draw();
      }
      function move(dx, dy) { view.x += dx * view.size / 4; view.y += dy * view.size / 4; draw(); }
      function reset() { view = { x: 0, y: 0, size: 1 }; draw(); }
      const keys = { ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0), ArrowUp: () => move(0, 1),
        ArrowDown: () => move(0, -1), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": reset };
      svg.setAttribute("tabindex", "0");
      svg.addEventListener("keydown", event => {
        if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
        event.preventDefault();
        keys[event.key]();
      });
      let grip = null, finger = null;
      svg.addEventListener("pointerdown", event => {
        if (event.button !== 0 || view.size === 1 || grip) return;
        grip = [event.clientX, event.clientY];
        finger = event.pointerId;
        svg.setPointerCapture(event.pointerId);
      });
      svg.addEventListener("pointermove", event => {
        if (!grip || event.pointerId !== finger) return;
        const scale = view.size * svg.viewBox.baseVal.width / svg.getBoundingClientRect().width;
        view.x -= (event.clientX - grip[0]) * scale / W;
        view.y += (event.clientY - grip[1]) * scale / H;
        grip = [event.clientX, event.clientY];
        draw();
      });
      for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, event => {
        if (event.pointerId === finger) grip = null;
      });
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", svg.querySelector("title").textContent);
      const buttons = document.createElement("div");
      buttons.className = "buttons";
      for (const [text, label, act] of [["+", "Zoom in", () => zoom(0.5)], ["−", "Zoom out", () => zoom(2)],
        ["←", "To the left", () => move(-1, 0)], ["→", "To the right", () => move(1, 0)], ["↑", "Up", () => move(0, 1)],
        ["↓", "Down", () => move(0, -1)], ["Reset", "Reset the view", reset]]) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        button.setAttribute("aria-label", label + ": " + svg.querySelector("title").textContent);
        button.addEventListener("click", act);
        buttons.append(button);
      }
      box.append(buttons);
    }

    document.querySelectorAll(".panel").forEach(panel);
    """#
}
