// runs.js - the runs of a study: chosen from a list, shown with configuration and curves.
'use strict';
window.glidepath.runsExplorer = (data, baseColour) => {
  const { h, format, duration, shown, colours, mixed, theme, Panel } = window.glidepath;
  const most = 6;
  const names = {
    loss: 'Loss', accuracy: 'Accuracy', lr: 'Learning rate', grad_norm: 'Gradient norm', weight_norm: 'Weight norm',
  };
  const title = (column) => names[column] || column.replace(/_/g, ' ').replace(/^./, (letter) => letter.toUpperCase());
  const list = document.getElementById('run-list');
  const details = document.getElementById('run-details');
  const chosen = [];
  let panels = [], axis = 'step';

  const done = (run) => run.status === 'done';
  const outcome = (run) => (run.score !== null ? run.score.words : run.loss !== null ? `loss ${format(run.loss)}` : run.status);

  // Runs of one schedule share its colour; shades and dashes tell them apart.
  function look(line) {
    const same = chosen.filter((run) => run.subject === line.run.subject);
    const place = same.indexOf(line.run);
    const share = same.length < 2 ? 1 : 1 - (0.6 * place) / (same.length - 1);
    const colour = (which) => mixed(shown(baseColour(line.run.subject), which), colours(which).card, share);
    return { colour: colour(theme()), paper: colour('light'), plain: line.x.length > 12, symbol: 'circle', dash: line.style, width: 2, opacity: 1, hidden: false };
  }

  function series(column) {
    const lines = [];
    for (const run of chosen) {
      for (const table of data.curves[run.id] || []) {
        const at = table.columns.indexOf(column);
        if (at < 0 || (column === 'lr' && table.kind === 'eval')) continue;
        const kinds = (data.curves[run.id] || []).filter((other) => other.columns.includes(column) && column !== 'lr').length;
        const kind = table.kind === 'eval' ? 'test' : table.kind === 'train' ? 'training' : table.kind;
        lines.push({
          name: kinds > 1 ? `${run.label}, ${kind}` : run.label, run, subject: run.subject, budget: run.budget,
          style: table.kind === 'eval' ? 'dashed' : 'solid', right: false, x: table.values[table.columns.indexOf(axis)], y: table.values[at], spread: [],
        });
      }
    }
    return lines;
  }

  function drawCurves() {
    panels.forEach((panel) => panel.dispose());
    panels = [];
    const columns = [...new Set(chosen.flatMap((run) => (data.curves[run.id] || []).flatMap((table) => table.columns.slice(2))))];
    const place = document.getElementById('run-charts');
    place.replaceChildren();
    if (columns.length === 0) place.append(h('p', { class: 'muted' }, chosen.length === 0 ? 'Choose a run from the list.' : 'No curves: these runs have not finished.'));
    for (const column of columns) {
      const spec = { title: title(column), x_label: axis === 'step' ? 'updates' : 'progress (spent / budget)', y_label: title(column).toLowerCase(), right_label: '', log_x: false, log_y: false, x_is_budget: false, series: series(column) };
      const panel = new Panel(spec, { name: `runs-${column}`, look, legend: spec.series.length > 1 ? 'all' : false });
      place.append(panel.element);
      panel.draw();
      panels.push(panel);
    }
  }

  function facts() {
    if (chosen.length === 0) return [];
    const row = (label, value) => h('tr', {}, h('th', { scope: 'row' }, label), ...chosen.map((run) => h('td', {}, value(run))));
    const keys = [...new Set(chosen.flatMap((run) => Object.keys(run.config)))];
    const rows = [
      row(data.score, (run) => (run.score === null ? '–' : run.score.text)), row('test loss', (run) => format(run.test_loss)),
      row('training loss', (run) => format(run.train_loss)), row('updates', (run) => run.updates.toLocaleString('en-US')),
      row('time', (run) => duration(run.seconds) || '–'),
      ...(chosen.some((run) => !done(run)) ? [row('status', (run) => (run.error ? `${run.status}: ${run.error}` : run.status))] : []),
      ...keys.map((key) => row(key, (run) => run.config[key] ?? '')),
    ];
    const common = Object.entries(data.common).map(([key, value]) => h('tr', {}, h('th', { scope: 'row' }, key), h('td', {}, value === '' ? '–' : value)));
    const head = h('tr', {}, h('td', {}), ...chosen.map((run) => h('th', { scope: 'col' }, run.label, h('br'), h('small', {}, h('code', {}, run.id)))));
    return [
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Numbers and options of the chosen runs' },
        h('table', { class: 'facts' }, h('caption', { class: 'sr-only' }, 'Chosen runs'), h('thead', {}, head), h('tbody', {}, ...rows))),
      h('details', { class: 'data' }, h('summary', {}, `Options that all runs share (${common.length})`),
        h('div', { class: 'scroll tall', tabindex: '0', role: 'region', 'aria-label': 'Options that all runs share' },
          h('table', {}, h('caption', { class: 'sr-only' }, 'Options that all runs share'), h('tbody', {}, ...common)))),
    ];
  }

  function show() {
    details.replaceChildren(...facts());
    drawCurves();
  }

  function choose(run, box) {
    const at = chosen.indexOf(run);
    if (box.checked && at < 0) {
      chosen.push(run);
      if (chosen.length > most) {
        const first = chosen.shift();
        list.querySelector(`input[value="${first.id}"]`).checked = false;
      }
    } else if (!box.checked && at >= 0) chosen.splice(at, 1);
    show();
  }

  const items = data.runs.map((run) => {
    const box = h('input', { type: 'checkbox', value: run.id });
    box.addEventListener('change', () => choose(run, box));
    const item = h('li', {}, h('label', { class: `run ${run.status}` }, box, h('span', { class: 'run-name' }, run.label), h('span', { class: 'run-result' }, outcome(run))));
    list.append(item);
    return { item, run, box };
  });

  const count = document.getElementById('run-count');
  const filter = document.getElementById('run-filter');
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const { item, run } of items) {
      const text = `${run.label} ${run.status} ${run.id}`.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      left += item.hidden ? 0 : 1;
    }
    count.textContent = `${left} of ${items.length} runs`;
  };
  filter.addEventListener('input', apply);
  apply();

  document.querySelectorAll('input[name="run-axis"]').forEach((radio) => radio.addEventListener('change', () => { axis = radio.value; drawCurves(); }));

  // To begin with, the best run of the study.
  const best = items.filter(({ run }) => done(run)).sort((a, b) => (b.run.score?.goodness ?? -b.run.loss) - (a.run.score?.goodness ?? -a.run.loss))[0] || items[0];
  if (best) {
    best.box.checked = true;
    choose(best.run, best.box);
    list.scrollTop = best.item.offsetTop - list.offsetTop;
  }
};
