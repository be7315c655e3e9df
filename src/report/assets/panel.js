// panel.js - one chart on the page: its tools, its keyboard, its table, its downloads.
'use strict';
window.glidepath.Panel = (() => {
  const { h, format, option, onTheme, theme } = window.glidepath;
  const panels = [];
  let live = null;

  const touch = matchMedia('(pointer: coarse)');

  class Panel {
    // `look(line, panel)` says how a series is drawn now, and `marker(panel)` where a budget stands out.
    constructor(spec, { name, look, marker = () => undefined, legend = true, heading = 'h4' }) {
      Object.assign(this, { spec: { ...spec }, name, look, marker, legend, cursor: -1 });
      this.title = spec.title || spec.y_label;
      const id = `panel-${panels.length}`;
      this.chartElement = h('div', { class: 'chart', tabindex: '0', role: 'group', 'aria-roledescription': 'chart', 'aria-labelledby': `${id}-title`, 'aria-describedby': 'chart-keys', onkeydown: (event) => this.key(event), onblur: () => this.chart && this.chart.dispatchAction({ type: 'hideTip' }) });
      this.table = h('details', { class: 'data', ontoggle: () => this.fillTable() }, h('summary', {}, 'Data as a table'));
      this.element = h('section', { class: 'panel', 'aria-labelledby': `${id}-title` },
        h('div', { class: 'panel-head' }, h(heading, { id: `${id}-title` }, this.title), this.tools()), this.chartElement, this.table);
      panels.push(this);
    }

    tools() {
      const button = (label, text, action) => h('button', { type: 'button', 'aria-label': `${label}: ${this.title}`, title: label, onclick: action }, text);
      const axisButton = (axis) => {
        const element = h('button', { type: 'button', 'aria-pressed': String(this.spec[`log_${axis}`]), 'aria-label': `log ${axis} axis: ${this.title}`, title: `Linear or logarithmic ${axis} axis` }, `log ${axis}`);
        element.addEventListener('click', () => {
          this.spec[`log_${axis}`] = !this.spec[`log_${axis}`];
          element.setAttribute('aria-pressed', String(this.spec[`log_${axis}`]));
          this.zoom('reset');
          this.draw();
        });
        return element;
      };
      const files = { CSV: () => this.save('csv'), SVG: () => this.save('svg'), PNG: () => this.save('png') };
      return h('div', { class: 'tools' }, axisButton('x'), axisButton('y'), button('Zoom in', '+', () => this.zoom('in')), button('Zoom out', '−', () => this.zoom('out')),
        button('Show all', 'all', () => this.zoom('reset')),
        h('details', { class: 'menu' }, h('summary', { 'aria-label': `Save: ${this.title}` }, 'save'),
          h('div', {}, ...Object.entries(files).map(([kind, action]) => button(`Save as ${kind}`, kind, action)))));
    }

    looks() { return this.spec.series.map((line, i) => ({ id: `s${i}`, ...this.look(line, this) })); }

    draw() {
      if (!this.chart) {
        this.chart = echarts.init(this.chartElement, null, { renderer: 'svg' });
        this.chart.getZr().on('dblclick', () => this.zoom('reset'));
        this.observer = new ResizeObserver(() => { if (this.chart && !window.glidepath.isPrinting() && this.chart.getWidth() !== this.chartElement.clientWidth) { this.chart.resize(); this.draw(); } });
        this.observer.observe(this.chartElement);
      }
      this.chart.setOption(option(this.spec, this.looks(), { theme: theme(), legend: window.glidepath.isPrinting() ? 'all' : this.legend, marker: this.marker(this), width: this.chart.getWidth() }), { replaceMerge: ['series', 'yAxis'] });
      // A rectangle drawn with the mouse zooms; on a touch screen a finger scrolls the page.
      if (!touch.matches) this.chart.dispatchAction({ type: 'takeGlobalCursor', key: 'dataZoomSelect', dataZoomSelectActive: true });
      if (this.table.open) this.fillTable();
    }

    zoom(how) {
      if (!this.chart) return;
      const zooms = this.chart.getOption().dataZoom;
      if (how === 'reset') {
        zooms.forEach((_, i) => this.chart.dispatchAction({ type: 'dataZoom', dataZoomIndex: i, start: 0, end: 100 }));
        return;
      }
      // ECharts' percentages are of the values, also on a logarithmic axis; halves of what is seen are not.
      const xs = this.visible().flatMap(({ line }) => line.x).filter((x) => !this.spec.log_x || x > 0);
      const place = this.spec.log_x ? Math.log : (x) => x;
      const value = this.spec.log_x ? Math.exp : (x) => x;
      const first = place(Math.min(...xs)), last = place(Math.max(...xs));
      const from = Math.max(first, place(zooms[0].startValue)), to = Math.min(last, place(zooms[0].endValue));
      const half = Math.min((last - first) / 2, ((to - from) / 2) * (how === 'in' ? 0.5 : 2));
      if (!(half > 0)) return;
      const centre = Math.min(last - half, Math.max(first + half, (from + to) / 2));
      this.chart.dispatchAction({ type: 'dataZoom', dataZoomIndex: 0, startValue: value(centre - half), endValue: value(centre + half) });
    }

    visible() {
      const looks = this.looks();
      return this.spec.series.map((line, i) => ({ line, id: looks[i].id })).filter((_, i) => !looks[i].hidden);
    }

    // Arrow keys walk over the values, as hovering does; they are read out.
    key(event) {
      const lines = this.visible();
      const xs = [...new Set(lines.flatMap(({ line }) => line.x))].sort((a, b) => a - b);
      const moves = { ArrowRight: this.cursor + 1, ArrowLeft: this.cursor - 1, Home: 0, End: xs.length - 1 };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '+') return this.zoom('in');
      if (event.key === '-') return this.zoom('out');
      if (event.key === '0') return this.zoom('reset');
      if (event.key === 'Escape') return this.chart.dispatchAction({ type: 'hideTip' });
      if (!(event.key in moves) || xs.length === 0) return;
      event.preventDefault();
      this.cursor = Math.min(xs.length - 1, Math.max(0, moves[event.key]));
      const x = xs[this.cursor];
      const here = lines.filter(({ line }) => line.x.includes(x));
      const index = this.chart.getOption().series.findIndex((series) => series && series.id === here[0].id);
      this.chart.dispatchAction({ type: 'showTip', seriesIndex: index, dataIndex: here[0].line.x.indexOf(x) });
      const said = here.map(({ line }) => `${line.name} ${format(line.y[line.x.indexOf(x)])}`).join(', ');
      live = live || document.getElementById('live');
      live.textContent = `${this.spec.x_label} ${format(x)}: ${said}`;
    }

    save(kind) {
      const name = `${this.name}.${kind}`;
      const { save, csvOf, svgOf, pngOf } = window.glidepath;
      if (kind === 'csv') return save(name, csvOf(this.spec), 'text/csv;charset=utf-8');
      const looks = this.looks().map((look) => ({ ...look, opacity: 1, colour: look.paper || look.colour }));
      if (kind === 'svg') return save(name, svgOf(this.spec, looks, this.title), 'image/svg+xml');
      return save(name, pngOf(this.spec, looks, this.title), 'image/png');
    }

    // Rows are x values, columns series: made when it is opened.
    fillTable() {
      if (!this.table.open) return;
      const lines = this.visible().map(({ line }) => line);
      const xs = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
      const at = lines.map((line) => new Map(line.x.map((x, i) => [x, i])));
      const value = (line, i) => (i === undefined ? '' : format(line.y[i]) + (line.spread && line.spread[i] > 0 ? ` ± ${format(line.spread[i])}` : ''));
      const head = h('tr', {}, h('th', { scope: 'col' }, this.spec.x_label), ...lines.map((line) => h('th', { scope: 'col', class: 'number' }, line.name)));
      const body = xs.map((x) => h('tr', {}, h('th', { scope: 'row' }, format(x)), ...lines.map((line, i) => h('td', { class: 'number' }, value(line, at[i].get(x))))));
      const table = h('table', {}, h('caption', { class: 'sr-only' }, this.title), h('thead', {}, head), h('tbody', {}, ...body));
      this.table.replaceChildren(this.table.firstElementChild, h('div', { class: 'scroll tall', tabindex: '0', role: 'region', 'aria-label': `Data of ${this.title}` }, table));
    }

    dispose() {
      if (this.chart) {
        this.observer.disconnect();
        this.chart.dispose();
        this.chart = null;
      }
      this.element.remove();
      panels.splice(panels.indexOf(this), 1);
    }
  }

  const drawAll = () => panels.forEach((panel) => { if (panel.element.isConnected) panel.draw(); });
  onTheme(drawAll);
  // Paper has its own width, for which the page is not laid out before it prints: drawn at a fixed size, with legend,
  // and scaled by the style sheet.
  addEventListener('beforeprint', () => panels.forEach((panel) => {
    if (!panel.chart) return;
    panel.chart.resize({ width: 420, height: 320 });
    panel.draw();
    panel.chart.getZr().flush(); // the next frame would be too late
    panel.chartElement.querySelector('svg').setAttribute('viewBox', '0 0 420 320');
  }));
  addEventListener('afterprint', () => panels.forEach((panel) => {
    if (!panel.chart) return;
    panel.chartElement.querySelector('svg').removeAttribute('viewBox');
    panel.chart.resize({ width: 'auto', height: 'auto' });
    panel.draw();
  }));

  Panel.all = panels;
  Panel.drawAll = drawAll;
  return Panel;
})();
