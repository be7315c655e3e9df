// charts.js - what the report and the live page draw, as options of Apache ECharts. No DOM, no state.
'use strict';
window.glidepath = (() => {
  // By place in the palette, as in the figures that are files. All are filled: open points are for what others published.
  const symbols = ['circle', 'rect', 'triangle', 'path://M0,0L10,0L5,9Z', 'diamond', 'path://M5,0L10,4L8,10L2,10L0,4Z'];

  const escapeHtml = (text) => String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

  // Four significant digits, without trailing zeros; exponents only where they help.
  function format(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return '–';
    if (value === 0) return '0';
    const size = Math.abs(value);
    if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace(/\.?0+e/, 'e');
    if (size >= 1e4) return Math.round(value).toLocaleString('en-US');
    return String(Number(value.toPrecision(4)));
  }

  function colours(theme) {
    return theme === 'dark'
      ? { text: '#e6e8eb', muted: '#a4abb5', line: '#3b424b', grid: '#262c33', card: '#171b20', ink: '#f0f2f4' }
      : { text: '#1b1f24', muted: '#59616b', line: '#8b939d', grid: '#e8eaed', card: '#ffffff', ink: '#000000' };
  }

  // Black is the colour of learning rates, and of the seventh subject; on a dark page it is the ink's.
  const shown = (colour, theme) => (colour === '#000000' ? colours(theme).ink : colour);

  function mixed(colour, other, share) {
    const part = (text, at) => parseInt(text.slice(1 + at, 3 + at), 16);
    const mix = (at) => Math.round(part(colour, at) * share + part(other, at) * (1 - share));
    return `#${[0, 2, 4].map((at) => mix(at).toString(16).padStart(2, '0')).join('')}`;
  }

  const positive = (value, log) => (log && !(value > 0) ? null : value);
  const points = (line, spec) =>
    line.x.map((x, i) => [positive(x, spec.log_x), positive(line.y[i], line.right ? spec.log_right : spec.log_y)]);

  // Mean ± standard deviation as one polygon a stretch without gaps.
  function bandSeries(line, spec, look) {
    const corners = line.x
      .map((x, i) => [x, line.y[i] - line.spread[i], line.y[i] + line.spread[i]])
      .filter(([x, low, high]) => Number.isFinite(low) && Number.isFinite(high) && !(spec.log_x && x <= 0))
      .map(([x, low, high]) => [x, (line.right ? spec.log_right : spec.log_y) && low <= 0 ? high / 100 : low, high]);
    if (corners.length < 2) return [];
    return [{
      type: 'custom', id: `band ${look.id}`, silent: true, clip: true, z: 1, tooltip: { show: false },
      yAxisIndex: line.right ? 1 : 0, data: corners, encode: { x: 0, y: [1, 2] },
      renderItem: (params, api) => {
        if (params.dataIndexInside !== 0) return null;
        const upper = corners.map(([x, , high]) => api.coord([x, high]));
        const lower = corners.map(([x, low]) => api.coord([x, low])).reverse();
        return { type: 'polygon', shape: { points: upper.concat(lower) }, style: { fill: look.colour, opacity: 0.13 * look.opacity } };
      },
    }];
  }

  // Open points have the page's ground inside.
  const pointStyle = (look, c) =>
    ({ opacity: look.opacity, ...(look.open ? { color: c.card, borderColor: look.colour, borderWidth: 1.6 } : { color: look.colour }) });
  const openMarker = (colour) =>
    `<span style="display:inline-block;box-sizing:border-box;margin-right:4px;border-radius:10px;width:10px;height:10px;border:2px solid ${colour}"></span>`;

  function lineSeries(line, spec, look, c) {
    const few = line.x.length <= 30 && !look.plain;
    return {
      type: 'line', id: look.id, name: line.name, data: points(line, spec), yAxisIndex: line.right ? 1 : 0, z: look.front ? 4 : 3,
      symbol: few ? look.symbol : 'none', showSymbol: few, symbolSize: 7, connectNulls: false, animation: false,
      lineStyle: { color: look.colour, width: look.width, type: look.dash, opacity: look.opacity },
      itemStyle: pointStyle(look, c),
      emphasis: { disabled: true },
    };
  }

  function tooltip(spec, theme) {
    const c = colours(theme);
    return {
      trigger: 'axis', confine: true, backgroundColor: c.card, borderColor: c.line, textStyle: { color: c.text, fontSize: 12 },
      axisPointer: { type: 'line', lineStyle: { color: c.muted, type: 'dashed' } },
      formatter: (items) => {
        const lines = items.filter((item) => item.seriesType === 'line' && Array.isArray(item.value) && item.value[1] !== null);
        if (lines.length === 0) return '';
        lines.sort((a, b) => b.value[1] - a.value[1]);
        const rows = lines.slice(0, 14).map((item) => {
          const line = spec.byId[item.seriesId];
          const at = line ? line.x.indexOf(item.value[0]) : -1;
          const spread = line && line.spread && at >= 0 && line.spread[at] > 0 ? ` ± ${format(line.spread[at])}` : '';
          const look = spec.looksById[item.seriesId];
          return `<tr><td>${look && look.open ? openMarker(look.colour) : item.marker}${escapeHtml(item.seriesName)}</td><td style="text-align:right;padding-left:1em">` +
            `<b>${format(item.value[1])}</b>${spread}</td></tr>`;
        });
        if (lines.length > 14) rows.push(`<tr><td colspan="2">and ${lines.length - 14} more</td></tr>`);
        return `${escapeHtml(spec.x_label)}: <b>${format(lines[0].value[0])}</b><table>${rows.join('')}</table>`;
      },
    };
  }

  function axes(spec, theme) {
    const c = colours(theme);
    const common = {
      axisLine: { show: true, lineStyle: { color: c.line } }, splitLine: { lineStyle: { color: c.grid } },
      axisLabel: { color: c.muted, formatter: format, hideOverlap: true }, axisTick: { lineStyle: { color: c.line } },
      nameTextStyle: { color: c.muted, fontSize: 12 }, minorTick: { show: false },
    };
    const ticks = spec.x_is_budget
      ? [...new Set(spec.series.flatMap((line) => line.x))].filter((x) => !spec.log_x || x > 0).sort((a, b) => a - b) : null;
    const x = {
      ...common, type: spec.log_x ? 'log' : 'value', name: spec.x_label, nameLocation: 'middle', nameGap: 28,
      scale: true, splitLine: { show: false },
    };
    if (spec.log_x || ticks) Object.assign(x, { min: 'dataMin', max: 'dataMax' });
    if (ticks) {
      x.axisTick = { ...common.axisTick, customValues: ticks };
      x.axisLabel = { ...common.axisLabel, customValues: ticks };
    }
    const y = (label, log, right) => ({
      // Two quantities on one panel are compared: from equal zeros, where neither is negative.
      ...common, type: log ? 'log' : 'value', scale: !spec.right_label, name: label, nameLocation: 'end', nameGap: 12,
      nameTextStyle: { ...common.nameTextStyle, align: right ? 'right' : 'left' }, position: right ? 'right' : 'left',
      splitLine: { show: !right, lineStyle: { color: c.grid } },
    });
    const list = [y(spec.y_label, spec.log_y, false)];
    if (spec.right_label) list.push(y(spec.right_label, spec.log_right, true));
    return { x, y: list };
  }

  // Names for the legend: all on paper; on the page those that the shared controls do not show.
  function legendOf(visible, extra, c) {
    const names = [...new Set(visible.map(({ line }) => line).filter((line) => extra.legend === 'all' || line.name !== line.subject).map((line) => line.name))];
    if (!extra.legend || names.length === 0) return { height: 0 };
    const width = names.reduce((sum, name) => sum + 46 + 7 * name.length, 0);
    const rows = Math.ceil((1.15 * width) / Math.max(100, (extra.width || 760) - 16));
    const option = {
      type: rows > 4 ? 'scroll' : 'plain', bottom: 0, left: 4, right: 4, itemWidth: 22, itemHeight: 9, itemGap: 12, selectedMode: false,
      textStyle: { color: c.text, fontSize: 12 }, pageTextStyle: { color: c.muted }, pageIconColor: c.text, pageIconInactiveColor: c.line, data: names,
    };
    return { option, height: rows > 4 ? 26 : 6 + 20 * rows };
  }

  // The option of a chart. `spec` is a panel of the report's data; `looks` has one entry a series:
  // {id, colour, symbol, open, dash, width, opacity, hidden}. `extra`: {theme, legend, title, marker, width}.
  function option(spec, looks, extra) {
    const c = colours(extra.theme);
    const both = axes(spec, extra.theme);
    const visible = spec.series.map((line, i) => ({ line, look: looks[i] })).filter(({ look }) => !look.hidden);
    const lines = visible.map(({ line, look }) => lineSeries(line, spec, look, c));
    if (extra.marker !== undefined && lines.length > 0) {
      lines[0].markLine = {
        silent: true, symbol: 'none', animation: false, label: { show: false },
        lineStyle: { color: c.text, type: 'solid', width: 1.5, opacity: 0.55 }, data: [{ xAxis: extra.marker }],
      };
    }
    const bands = visible.flatMap(({ line, look }) => (line.spread && line.spread.length ? bandSeries(line, spec, look) : []));
    const legend = legendOf(visible, extra, c);
    const byId = (part) => Object.fromEntries(visible.map((shown) => [shown.look.id, shown[part]]));
    const withIds = { ...spec, byId: byId('line'), looksById: byId('look') };
    return {
      animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: 'system-ui, sans-serif' },
      title: extra.title ? { text: extra.title, left: 8, top: 4, textStyle: { color: c.text, fontSize: 15, fontWeight: 600 } } : undefined,
      legend: legend.option,
      grid: { left: 10, right: spec.right_label ? 10 : 18, top: extra.title ? 66 : 34, bottom: 38 + legend.height, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      tooltip: tooltip(withIds, extra.theme),
      toolbox: {
        show: true, itemSize: 0, top: -40,
        feature: { dataZoom: { filterMode: 'none', xAxisIndex: 0, yAxisIndex: both.y.map((_, i) => i), brushStyle: { color: c.muted, opacity: 0.2 } } },
      },
      // Those of the y axes only undo what a rectangle did.
      dataZoom: [{ type: 'inside', xAxisIndex: 0, filterMode: 'none', zoomOnMouseWheel: 'ctrl', moveOnMouseMove: false, moveOnMouseWheel: false, preventDefaultMouseMove: false },
        ...both.y.map((_, i) => ({ type: 'inside', yAxisIndex: i, filterMode: 'none', disabled: true }))],
      xAxis: both.x, yAxis: both.y,
      series: bands.concat(lines),
    };
  }

  // Files of a chart. Always light, with title and legend: they go on paper.
  const offscreen = { theme: 'light', legend: 'all', width: 760 };
  function svgOf(spec, looks, title) {
    const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 480 });
    chart.setOption({ ...option(spec, looks, { ...offscreen, title }), backgroundColor: '#ffffff', toolbox: undefined });
    const svg = chart.renderToSVGString();
    chart.dispose();
    return svg;
  }

  function pngOf(spec, looks, title) {
    const element = document.createElement('div');
    Object.assign(element.style, { width: '760px', height: '480px', position: 'fixed', left: '-2000px' });
    document.body.append(element);
    const chart = echarts.init(element, null, { renderer: 'canvas' });
    chart.setOption({ ...option(spec, looks, { ...offscreen, title }), toolbox: undefined });
    const url = chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: '#ffffff' });
    chart.dispose();
    element.remove();
    return url;
  }

  // As RFC 4180 quotes. A text that a spreadsheet would compute begins with an apostrophe; numbers are no texts.
  const csvCell = (value) => {
    let text = value === null || value === undefined ? '' : String(value);
    if (typeof value === 'string') text = text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, ' ').replace(/^[=+\-@＝＋－＠]/, "'$&");
    return /[",;\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  const csvLine = (cells) => `${cells.map(csvCell).join(',')}\r\n`;

  function csvOf(spec) {
    let text = csvLine(['series', spec.x_label, 'value', 'axis', 'standard deviation']);
    for (const line of spec.series) {
      const label = line.right ? spec.right_label : spec.y_label;
      line.x.forEach((x, i) => { text += csvLine([line.name, x, line.y[i], label, line.spread ? line.spread[i] : '']); });
    }
    return text;
  }

  function save(name, content, type) {
    const link = document.createElement('a');
    link.download = name;
    link.href = content.startsWith('data:') ? content : URL.createObjectURL(new Blob([content], { type }));
    document.body.append(link);
    link.click();
    link.remove();
    if (!content.startsWith('data:')) setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function duration(seconds) {
    if (!Number.isFinite(seconds)) return '';
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return `${whole} s`;
    const minutes = Math.round(whole / 60);
    if (minutes < 60) return `${minutes} min`;
    return minutes < 1440 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
  }

  // Builds an element: h('td', {class: 'number'}, 'text', child).
  function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, '');
      else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  // Light or dark: the reader's choice, or else the system's.
  const system = matchMedia('(prefers-color-scheme: dark)');
  const listeners = [];
  let chosen = null, printing = false;
  const theme = () => (printing ? 'light' : chosen || (system.matches ? 'dark' : 'light'));
  function changeTheme() {
    document.documentElement.dataset.theme = theme();
    listeners.forEach((listener) => listener());
  }
  system.addEventListener('change', changeTheme);
  addEventListener('beforeprint', () => { printing = true; changeTheme(); });
  addEventListener('afterprint', () => { printing = false; changeTheme(); });
  function themeButton(button) {
    button.addEventListener('click', () => {
      chosen = theme() === 'dark' ? 'light' : 'dark';
      changeTheme();
    });
    const show = () => { button.textContent = theme() === 'dark' ? 'Light' : 'Dark'; button.setAttribute('aria-label', `Use the ${theme() === 'dark' ? 'light' : 'dark'} theme`); };
    listeners.push(show);
    show();
  }
  document.documentElement.dataset.theme = theme();

  return { symbols, format, colours, shown, mixed, option, svgOf, pngOf, csvOf, save, duration, h, theme, themeButton,
    onTheme: (listener) => listeners.push(listener), isPrinting: () => printing };
})();
